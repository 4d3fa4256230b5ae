"""Names the notes in a sound."""

from math import log2
from typing import NamedTuple

from spectra import _fourier, _peaks

__all__ = ["Note", "analyse", "frequency_of"]

NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


class Note(NamedTuple):
    """A tone in a sound: in Hz, and with the amplitude 1 for a full-scale sine."""

    frequency: float
    amplitude: float

    @property
    def name(self) -> str:
        """The nearest note of the equal temperament, A4 = 440 Hz."""
        number = round(69 + 12 * log2(self.frequency / 440))
        return f"{NAMES[number % 12]}{number // 12 - 1}"


def frequency_of(name: str) -> float:
    """The frequency of a note such as `C#5`."""
    for length in (2, 1):
        letter, octave = name[:length].upper(), name[length:]
        if letter in NAMES and octave.lstrip("-").isdigit():
            number = NAMES.index(letter) + 12 * (int(octave) + 1)
            return float(440 * 2 ** ((number - 69) / 12))
    raise ValueError(f"{name!r} isn't a note such as A4 or C#5")


def analyse(samples: "array.array[float]", rate: float, least: float = 0.05) -> "list[Note]":
    """The tones of at least an amplitude, by frequency.

    `samples` are doubles between -1 and 1; their number is a power of two.
    """
    peaks = _peaks.find(_fourier.power(samples), least * least)
    bin_width = rate / len(samples)
    return sorted(Note(position * bin_width, power**0.5) for position, power in peaks)


TYPE_CHECKING = False
if TYPE_CHECKING:
    import array
