"""Python alone."""

WORD = "first"


def main() -> None:
    print(WORD)
