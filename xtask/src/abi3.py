"""Prints the stable ABI as `crates/ekiben-object/data/abi3.txt` has it; run by `cargo xtask abi3`."""

from importlib.metadata import version

from abi3info import DATAS, FUNCTIONS

HEADER = """\
# CPython's stable ABI: name, the version that added it; `data` if it isn't a function, `abi-only` if
# only macros and inline functions of the headers use it, `if=` the macro CPython must be built with.
# Source: abi3info {}
# That is MIT-licensed, and has its facts from CPython's Misc/stable_abi.toml (PSF-2.0).
# Written by `cargo xtask abi3`: don't edit it."""


def line(symbol):
    words = [symbol.symbol.name, str(symbol.added)]
    if symbol in DATAS.values():
        words.append("data")
    if symbol.abi_only:
        words.append("abi-only")
    if symbol.ifdef is not None:
        words.append(f"if={symbol.ifdef.name}")
    return " ".join(words)


print(HEADER.format(version("abi3info")))
symbols = {symbol.symbol.name: symbol for symbol in [*FUNCTIONS.values(), *DATAS.values()]}
for name in sorted(symbols):
    print(line(symbols[name]))
