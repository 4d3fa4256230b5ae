import subprocess
import sys
import unittest
from pathlib import Path

ORBIT = Path(sys.prefix) / "bin/orbit"


def run(*words):
    # Nothing of the environment is needed.
    return subprocess.run([ORBIT, *words], env={}, capture_output=True, text=True)


class Orbits(unittest.TestCase):
    def test_the_earth_is_nearest_to_the_sun_in_january(self):
        january, july = run("earth", "2026-01-03"), run("earth", "2026-07-05")
        self.assertIn("earth: 0.9833 au from the sun, 102.", january.stdout)
        self.assertIn("earth: 1.0167 au from the sun, 28", july.stdout)

    def test_metadata(self):
        self.assertEqual(run("--version").stdout, "orbit 0.1.0\n")

    def test_mistakes(self):
        done = run("pluto", "2026-01-03")
        self.assertEqual(done.returncode, 2)
        self.assertIn("invalid choice: 'pluto'", done.stderr)

    def test_the_modules_are_nowhere_but_in_the_program(self):
        with self.assertRaises(ImportError):
            import orbits  # noqa: F401


if __name__ == "__main__":
    unittest.main()
