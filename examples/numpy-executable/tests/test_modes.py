import math
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

# A wheel's scripts are beside the interpreter of an environment; `MODES` names the program otherwise.
PROGRAM = os.environ.get("MODES", Path(sys.executable).with_name("modes"))


class Modes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.table = Path(folder.name, "table.csv")
        rows = [
            (math.sin(step * math.pi / 8), 0.5 * math.sin(step * math.pi / 8), 0.05 * math.cos(step * math.pi / 2))
            for step in range(64)
        ]
        self.table.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))

    def test_modes_are_found(self):
        saved = self.table.with_name("modes.npy")
        said = subprocess.run([PROGRAM, self.table, "-o", saved], check=True, capture_output=True, text=True).stdout
        lines = said.splitlines()
        self.assertEqual(lines[0], "3 columns, 64 rows")
        self.assertEqual(lines[1], "mode 1: 99.80% of the variance, 4 periods")
        self.assertIn("16 periods", lines[2])
        self.assertTrue(saved.read_bytes().startswith(b"\x93NUMPY"))

    def test_what_is_no_table_is_an_error(self):
        self.table.write_text("1,2\n3\n")
        run = subprocess.run([PROGRAM, self.table], capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("ValueError", run.stderr)


if __name__ == "__main__":
    unittest.main()
