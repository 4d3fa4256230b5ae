"""Cuts data where its content says so, and finds what two files share.

Data that is cut every so many bytes looks all new once a byte is put in at its start. Data that is
cut by its content does so only around that byte: backups and transfers need to store or send no
more than that.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from shards._cuts import Cuts

__all__ = ["Overlap", "overlap", "split"]

USUAL = 4096


class Overlap(NamedTuple):
    """How much of some data is in other data too, in bytes."""

    shared: int
    total: int


def split(data: "Buffer", usual: int = USUAL) -> "Iterator[memoryview]":
    """The shards of a bytes-like object, without copying it.

    They have about `usual` bytes, which is a power of two from 256.
    """
    view = memoryview(data).cast("B")
    begin = 0
    for end in Cuts(view, least=usual // 4, usual=usual, most=8 * usual):
        yield view[begin:end]
        begin = end


def overlap(old: "Buffer", new: "Buffer", usual: int = USUAL) -> Overlap:
    """How much of `new` is in `old`."""
    known = {digest(shard) for shard in split(old, usual)}
    shared = total = 0
    for shard in split(new, usual):
        total += len(shard)
        shared += len(shard) if digest(shard) in known else 0
    return Overlap(shared, total)


def digest(shard: memoryview) -> bytes:
    return blake2b(shard, digest_size=16).digest()


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Buffer
