"""The command `spectra`."""

import argparse
import sys
import wave
from array import array
from math import pi, sin

from spectra import Note, analyse, frequency_of

SAMPLES = 1 << 15


def chord(names: "list[str]", rate: int = 44100) -> "array[float]":
    """Sines of the notes, together no louder than full scale."""
    steps = [2 * pi * frequency_of(name) / rate for name in names]
    return array("d", (sum(sin(step * i) for step in steps) / len(steps) for i in range(SAMPLES)))


def read_wav(path: str) -> "tuple[array[float], int]":
    """The start of the first channel of a 16-bit file, filled up with silence."""
    with wave.open(path, "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path}: only 16-bit files can be read")
        values = array("h", file.readframes(SAMPLES))
        if sys.byteorder == "big":
            values.byteswap()
        first = values[:: file.getnchannels()]
        rate = file.getframerate()
    silence = [0.0] * (SAMPLES - len(first))
    return array("d", [*(value / 32768 for value in first), *silence]), rate


def show(notes: "list[Note]") -> None:
    loudest = max((note.amplitude for note in notes), default=1)
    for note in notes:
        bar = "#" * round(40 * note.amplitude / loudest)
        print(f"{note.frequency:7.1f} Hz  {note.name:<4} {bar}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Name the notes in a sound.")
    commands = parser.add_subparsers(required=True, dest="command")
    of_chord = commands.add_parser("chord", help="a chord that is made up")
    of_chord.add_argument("notes", nargs="+")
    of_file = commands.add_parser("file", help="a WAV file")
    of_file.add_argument("path")
    options = parser.parse_args()
    try:
        if options.command == "chord":
            samples, rate = chord(options.notes), 44100
        else:
            samples, rate = read_wav(options.path)
    except (OSError, ValueError, wave.Error) as error:
        parser.error(str(error))
    show(analyse(samples, rate))
