import subprocess
import sys
import unittest
from pathlib import Path

PROGRAMS = Path(sys.prefix) / "bin"


def run(*words):
    program, *arguments = words
    # Nothing of the environment is needed.
    return subprocess.run([PROGRAMS / program, *arguments], env={}, capture_output=True, text=True)


class Measures(unittest.TestCase):
    def test_spans_of_time(self):
        self.assertEqual(run("lapse", "100000").stdout, "1 day, 3 hours, 46 minutes and 40 seconds\n")

    def test_sizes(self):
        self.assertEqual(run("heft", "123456789").stdout, "123.5 MB\n")

    def test_data_of_the_package(self):
        self.assertEqual(run("heft").stdout, "B kB MB GB TB PB EB\n")

    def test_metadata(self):
        self.assertEqual(run("lapse", "--version").stdout, "lapse 0.2.0\n")

    def test_the_exit_code_is_what_the_function_returns(self):
        done = run("lapse")
        self.assertEqual((done.returncode, done.stderr), (1, "lapse: give numbers of seconds\n"))

    def test_the_modules_are_nowhere_but_in_the_programs(self):
        with self.assertRaises(ImportError):
            import measures  # noqa: F401


if __name__ == "__main__":
    unittest.main()
