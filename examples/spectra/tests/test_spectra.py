"""Run by `python -m unittest`, against the installed package."""

import struct
import subprocess
import sys
import tempfile
import unittest
import wave
from array import array
from math import pi, sin
from pathlib import Path

import spectra
from spectra import _fourier, _peaks


class Transform(unittest.TestCase):
    def test_a_sine_in_the_middle_of_a_bin_has_power_one(self) -> None:
        samples = array("d", (sin(2 * pi * 5 * i / 64) for i in range(64)))
        power = array("d", bytes(_fourier.power(samples)))
        self.assertEqual(len(power), 33)
        self.assertAlmostEqual(power[5], 1)
        self.assertLess(max(power[8:]), 1e-20)

    def test_it_takes_doubles_only_and_a_power_of_two(self) -> None:
        with self.assertRaisesRegex(ValueError, "12 samples"):
            _fourier.power(array("d", bytes(8 * 12)))
        with self.assertRaises(TypeError):
            _fourier.power(array("f", bytes(4 * 16)))


class Peaks(unittest.TestCase):
    def test_they_come_strongest_first(self) -> None:
        power = array("d", [0, 1, 0, 0, 9, 0, 0, 4, 0])
        positions = [round(position) for position, _ in _peaks.find(power.tobytes(), 2)]
        self.assertEqual(positions, [4, 7])


class Notes(unittest.TestCase):
    def test_names_and_frequencies_agree(self) -> None:
        for name in ["A4", "C#5", "E5", "C-1", "B8"]:
            self.assertEqual(spectra.Note(spectra.frequency_of(name), 1).name, name)
        with self.assertRaises(ValueError):
            spectra.frequency_of("H4")


class Command(unittest.TestCase):
    def run_it(self, *arguments: str) -> "list[str]":
        code = "from spectra.cli import main; main()"
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    def test_the_notes_of_a_chord(self) -> None:
        words = self.run_it("chord", "A4", "C#5", "E5")
        self.assertEqual(words[2::4], ["A4", "C#5", "E5"])

    def test_the_notes_of_a_file(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.wav")
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                tone = (round(20000 * sin(2 * pi * 262 * i / 8000)) for i in range(40000))
                file.writeframes(b"".join(struct.pack("<h", value) for value in tone))
            self.assertEqual(self.run_it("file", str(path))[2], "C4")


if __name__ == "__main__":
    unittest.main()
