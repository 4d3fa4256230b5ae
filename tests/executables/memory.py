# run: heap
# run: collections
"""What the interpreter asks of the C library's heap, and what it collects."""

import gc
import os
import sys
import threading
import weakref


def heap():
    """Blocks of all sizes, by several threads, in this process and in one that it forks."""

    def use(seed):
        blocks = []
        for number in range(150):
            size = (number * 7919 + seed * 104729) % 300_000 + 513
            # From calloc, so that it has to be zero although it was used before.
            block = bytearray(size)
            assert not any(block[::4096])
            block[:] = bytes([seed + number & 255]) * size
            blocks.append(block)
            if number % 3 == 0:
                del blocks[::2]
        return sum(map(len, blocks)) + sum(block[-1] for block in blocks)

    use(0)
    child = os.fork()
    if child == 0:
        os._exit(use(1) % 251)
    results = []
    threads = [threading.Thread(target=lambda it=it: results.append(use(it))) for it in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sorted(results), use(1) % 251 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    large = [bytes(1 << 20) for _ in range(50)]
    print(sum(map(len, large)))
    del large
    print(use(5))


class Node:
    pass


def collections():
    """Cycles that nobody holds go, by and by, and what the program sets is kept."""
    print(gc.isenabled(), gc.get_threshold())
    gone = []
    for _ in range(40_000):
        node = Node()
        node.itself = node
        weakref.finalize(node, gone.append, None).atexit = False
    print(len(gone) > 20_000, gc.get_stats()[0]["collections"] > 5)
    gc.set_threshold(123, 4, 5)
    import email.message  # noqa: F401

    print(gc.get_threshold(), gc.collect() >= 0)


globals()[sys.argv[1]]()
