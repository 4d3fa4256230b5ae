"""A fixture for the tests beside it."""

import pytest


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "numbers"
    path.write_text("1 2 3")
    return path
