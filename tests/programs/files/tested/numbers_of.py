"""What the tests beside it are of."""


def numbers_of(text):
    return [int(word) for word in text.split()]
