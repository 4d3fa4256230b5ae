import os
import subprocess
from pathlib import Path

import pytest

# A wheel's scripts are where it is installed; `MODES` names the program otherwise.
PROGRAM = os.environ.get("MODES", "modes")


@pytest.fixture
def table(tmp_path):
    import math

    rows = [
        (math.sin(step * math.pi / 8), 0.5 * math.sin(step * math.pi / 8), 0.05 * math.cos(step * math.pi / 2))
        for step in range(64)
    ]
    path = tmp_path / "table.csv"
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def test_modes_are_found(table):
    saved = table.with_name("modes.npy")
    said = subprocess.run([PROGRAM, table, "-o", saved], check=True, capture_output=True, text=True).stdout
    lines = said.splitlines()
    assert lines[0] == "3 columns, 64 rows"
    assert lines[1] == "mode 1: 99.80% of the variance, 4 periods"
    assert "16 periods" in lines[2]
    assert Path(saved).read_bytes().startswith(b"\x93NUMPY")


def test_what_is_no_table_is_an_error(table):
    table.write_text("1,2\n3\n")
    run = subprocess.run([PROGRAM, table], capture_output=True, text=True)
    assert run.returncode == 1
    assert "ValueError" in run.stderr
