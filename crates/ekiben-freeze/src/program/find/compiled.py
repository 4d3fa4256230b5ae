"""What is named in a compiled module: among its data are names of what it imports, for those who know
where to look.

C has texts with a zero after them, Rust has them one after the other, and so has Cython, which
compresses them besides.
"""

import re
import zlib

# Texts of C.
_SINGLE = re.compile(rb"(?<=\0)[A-Za-z_]\w{1,60}(?=\0)")
# How compressed data begins.
_COMPRESSED = re.compile(rb"x[\x01\x5e\x9c\xda]")
# Of these two bytes many are there by chance: less than this is none of Cython's tables.
_LEAST, _MOST = 64, 1 << 20
# What is around words of sentences.
_BEFORE_WORDS = frozenset(bytes((it,)) for it in b" \n`(")
_AFTER_WORDS = frozenset(bytes((it,)) for it in b" \n`,;:)")
# Shorter names are parts of words.
_TELLING = 4


class Names:
    """The texts in a compiled module."""

    def __init__(self, content):
        self._texts = [content, *_unpacked(content)]
        self._single = {text.decode("ascii", "replace") for text in _SINGLE.findall(content)}

    def below(self, tops):
        """Texts that begin as dotted names of what is below some top-level modules, and go on as long
        as such names may."""
        if not tops:
            return set()
        names = b"|".join(re.escape(top.encode()) for top in sorted(tops))
        pattern = re.compile(rb"(?<!import )(?<!from )(?:%s)\.[A-Za-z_][\w.]{0,200}" % names)
        return {
            match[0].decode("ascii", "replace")
            for it in self._texts
            for match in pattern.finditer(it)
            if not _is_prose(it, match)
        }

    def has(self, name):
        """Whether a name without dots is there as a text of its own."""
        return name in self._single

    def may_have(self, name):
        """Whether a name without dots is there, maybe as a part of something else."""
        return name in self._single or len(name) >= _TELLING and any(name.encode() in it for it in self._texts[1:])


def _is_prose(text, match):
    """Whether a name is a word of a sentence, as in docstrings with examples of other packages."""
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return before in _BEFORE_WORDS and after in _AFTER_WORDS


def _unpacked(content):
    for match in _COMPRESSED.finditer(content):
        unpacker = zlib.decompressobj()
        try:
            text = unpacker.decompress(content[match.start() : match.start() + _MOST], _MOST)
        except zlib.error:
            continue
        if unpacker.eof and len(text) >= _LEAST:
            yield text
