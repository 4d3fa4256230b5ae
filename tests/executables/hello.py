# run:
"""The smallest program."""

print("hello")
