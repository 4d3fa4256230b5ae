"""The program."""

import argparse

import numpy as np

from modes import modes, periods, spread


def main():
    parser = argparse.ArgumentParser(prog="modes", description="Finds the modes of a table")
    parser.add_argument("table", help="numbers, separated by commas")
    parser.add_argument("-o", "--output", help="a file for the modes, .npy")
    arguments = parser.parse_args()
    table = np.loadtxt(arguments.table, delimiter=",", ndmin=2)
    print(f"{table.shape[1]} columns, {table.shape[0]} rows")
    shares, courses = modes(table)
    for number, (share, course) in enumerate(zip(shares, courses), 1):
        print(f"mode {number}: {share:.2%} of the variance, {periods(course)} periods")
    print(f"spread of the first: {spread(table):.4f}")
    if arguments.output:
        np.save(arguments.output, courses)
