"""Run by `python -m unittest`, against the installed package."""

import subprocess
import sys
import unittest
from array import array

from waves import String, _string


class Motion(unittest.TestCase):
    def test_a_plucked_string_swings_to_its_mirror_image_and_back(self) -> None:
        string = String(101)
        string.pluck(30)
        start = string.heights[:]
        string.advance(100)
        for there, here in zip(string.heights, reversed(start)):
            self.assertAlmostEqual(there, -here, delta=0.02)
        string.advance(100)
        for there, here in zip(string.heights, start):
            self.assertAlmostEqual(there, here, delta=0.04)

    def test_the_ends_are_held(self) -> None:
        string = String(50, courant=0.5)
        string.pluck(10)
        string.advance(33)
        self.assertEqual((string.heights[0], string.heights[-1]), (0, 0))
        self.assertGreater(max(map(abs, string.heights)), 0.1)

    def test_what_is_unstable_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "courant"):
            String(50, courant=1.5).advance(1)
        with self.assertRaisesRegex(ValueError, "two states"):
            _string.advance(array("d", [0, 0]), array("d", [0, 0]), 1.0, 1)


class Command(unittest.TestCase):
    def test_it_draws_frames(self) -> None:
        code = "from waves.cli import main; main()"
        command = [sys.executable, "-c", code, "--frames", "2"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        self.assertEqual([line for line in text.splitlines() if "frame" in line], ["frame 0", "frame 1"])
        self.assertGreater(text.count("*"), 100)


if __name__ == "__main__":
    unittest.main()
