# run:
# run: plain é 日本
"""Arguments, environment and streams."""

import locale
import os
import sys

print(sys.argv[1:], len(sys.orig_argv) >= len(sys.argv))
print(sys.stdin.encoding.lower(), sys.stdout.encoding.lower(), sys.stdout.errors)
print(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
print(locale.getpreferredencoding().lower(), os.fsencode("é"), open(os.devnull).encoding.lower())
print(os.environ.get("LC_ALL"), os.environ.get("LC_CTYPE"), sys.stdin.read())
