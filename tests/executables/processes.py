# run:
"""Processes that Python starts of itself."""

import concurrent.futures
import multiprocessing
import subprocess
import sys


def square(number):
    return number * number


def put(queue):
    queue.put("from a child")


def main():
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            print(method, pool.map(square, range(4)))
        queue = context.Queue()
        process = context.Process(target=put, args=(queue,))
        process.start()
        print(queue.get())
        process.join()
        print(process.exitcode)
    with concurrent.futures.ProcessPoolExecutor(
        2, mp_context=multiprocessing.get_context("spawn")
    ) as executor:
        print(list(executor.map(square, range(4))))
    with multiprocessing.Manager() as manager:
        shared = manager.list([1])
        shared.append(2)
        print(list(shared))


if __name__ == "__main__":
    main()
