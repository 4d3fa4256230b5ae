"""Run by `python -m unittest`, against the installed package."""

import random
import subprocess
import sys
import tempfile
import unittest
from array import array
from pathlib import Path

import shards
from shards._cuts import Cuts

DATA = random.Random(1).randbytes(1 << 18)


class Limits(unittest.TestCase):
    def test_the_module_is_for_all_versions(self) -> None:
        module = sys.modules["shards._cuts"].__file__ or ""
        self.assertRegex(module, r"_cuts(\.abi3\.so|\.pyd)$")

    def test_no_shard_is_too_small_or_too_large(self) -> None:
        ends = list(Cuts(DATA, least=512, usual=1024, most=2048))
        sizes = [end - begin for begin, end in zip([0, *ends], ends)]
        self.assertEqual(sum(sizes), len(DATA))
        self.assertTrue(all(512 <= size <= 2048 for size in sizes[:-1]), sizes)
        self.assertGreater(len(set(sizes)), len(sizes) // 4)

    def test_data_without_structure_is_cut_at_the_limits(self) -> None:
        self.assertEqual(list(Cuts(bytes(1000), 64, 1 << 20, 400)), [400, 800, 1000])
        self.assertEqual(list(Cuts(b"", 64, 256, 512)), [])
        self.assertEqual(list(Cuts(b"x", 64, 256, 512)), [1])

    def test_cuts_are_the_same_on_all_machines_and_versions(self) -> None:
        ends = list(Cuts(DATA, least=1024, usual=4096, most=32768))
        self.assertEqual(ends[:5], [6331, 9605, 11169, 15893, 17443])

    def test_what_makes_no_sense_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "shards of 8 to 100 bytes"):
            Cuts(DATA, 8, 64, 100)
        with self.assertRaisesRegex(ValueError, "1000, which isn't a power of two"):
            Cuts(DATA, 64, 1000, 4096)
        with self.assertRaises(TypeError):
            Cuts("text", 64, 1024, 4096)  # type: ignore[arg-type]
        with self.assertRaises(BufferError):
            Cuts(memoryview(DATA)[::2], 64, 1024, 4096)


class Data(unittest.TestCase):
    def test_it_stays_as_it_is_while_it_is_cut(self) -> None:
        data = bytearray(DATA)
        cuts = Cuts(data, 1024, 4096, 32768)
        next(cuts)
        with self.assertRaises(BufferError):
            data.append(0)
        del cuts
        data.append(0)

    def test_it_can_be_anything_with_bytes(self) -> None:
        values = array("d", range(4096))
        parts = list(shards.split(values, 256))
        self.assertGreater(len(parts), 1)
        self.assertEqual(b"".join(parts), values.tobytes())


class Overlap(unittest.TestCase):
    def test_a_byte_more_spoils_only_what_is_around_it(self) -> None:
        for new in [b"x" + DATA, DATA[:70_000] + b"x" + DATA[70_000:]]:
            shared, total = shards.overlap(DATA, new)
            self.assertEqual(total, len(DATA) + 1)
            self.assertGreater(shared, 0.85 * total)

    def test_strangers_share_nothing(self) -> None:
        other = random.Random(2).randbytes(1 << 16)
        self.assertEqual(shards.overlap(DATA, other), (0, len(other)))


class Command(unittest.TestCase):
    def test_it_tells_how_much_is_shared(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            old, new = Path(folder, "old"), Path(folder, "new")
            old.write_bytes(DATA)
            new.write_bytes(DATA)
            code = "from shards.cli import main; main()"
            command = [sys.executable, "-c", code, str(old), str(new)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            expected = f"{new}: 262,144 of 262,144 bytes are in {old}\n"
            self.assertEqual(done.stdout, expected)


if __name__ == "__main__":
    unittest.main()
