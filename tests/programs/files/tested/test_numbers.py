"""Tests of which some fail, as they should: pytest has to say how."""

import pytest
from numbers_of import numbers_of


def test_file_passes(file):
    assert numbers_of(file.read_text()) == [1, 2, 3]


def test_list_fails(file):
    assert numbers_of(file.read_text()) == [1, 2, 4], "it isn't what was written"


def test_dictionary_fails():
    found = {"name": "x", "numbers": numbers_of("1 2")}
    assert found == {"name": "x", "numbers": [1, 3]}


@pytest.mark.parametrize(("text", "count"), [("", 0), ("1", 1), ("1 2", 3)])
def test_count(text, count):
    assert len(numbers_of(text)) == count


def test_words_pass():
    with pytest.raises(ValueError, match="invalid literal"):
        numbers_of("one")


def test_output(capsys):
    print("seen")
    assert capsys.readouterr().out == "seen\n"


@pytest.mark.skip(reason="left out")
def test_skipped():
    raise AssertionError


@pytest.mark.xfail(strict=True)
def test_error_is_shown():
    numbers_of("1 x")
