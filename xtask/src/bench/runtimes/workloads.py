"""What interpreters are often busy with. Prints the CPU seconds of each as JSON, with what it came to.

Each goes on for about a quarter of a second, and comes to the same in every interpreter.
"""

import collections
import functools
import json
import pickle
import random
import re
import sys
import time

WORDS = "runtime module image archive program linker section symbol interpreter wheel".split()


def bodies():
    """Planets that are drawn to each other."""
    planets = [[float(n), n * 0.5, 1.0 / (n + 1), 0.0, n * 0.1, 0.0, 1.0 + n] for n in range(5)]
    pairs = [(one, other) for at, one in enumerate(planets) for other in planets[at + 1 :]]
    for _ in range(30_000):
        for one, other in pairs:
            x, y, z = one[0] - other[0], one[1] - other[1], one[2] - other[2]
            pull = 0.001 / ((x * x + y * y + z * z + 0.01) ** 1.5)
            for planet, mass, sign in ((one, other[6], -1.0), (other, one[6], 1.0)):
                planet[3] += sign * x * mass * pull
                planet[4] += sign * y * mass * pull
                planet[5] += sign * z * mass * pull
        for planet in planets:
            planet[0] += 0.001 * planet[3]
            planet[1] += 0.001 * planet[4]
            planet[2] += 0.001 * planet[5]
    return round(sum(planet[0] for planet in planets), 6)


def round_trips():
    """JSON, written and read."""
    record = {"name": "spam", "tags": WORDS, "sizes": list(range(40)), "nested": {"a": [1.5, None]}}
    records = [{**record, "id": number, "ok": number % 3 == 0} for number in range(300)]
    for _ in range(80):
        records = json.loads(json.dumps(records))
    return sum(record["id"] for record in records)


def patterns():
    """Regular expressions over a log."""
    lines = [
        f"2024-03-{day:02} {word}[{day * 37}]: {word}={day / 7:.3f} from 10.0.{day}.1"
        for day in range(1, 29)
        for word in WORDS
    ]
    text = "\n".join(lines * 50)
    found = 0
    for pattern in [
        r"(\d{4})-(\d\d)-(\d\d) (\w+)\[(\d+)\]",
        r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
        r"(?i)(RUNTIME|image|Wheel)=([\d.]+)",
        r"^.*symbol.*$",
    ]:
        found += len(re.findall(pattern, text, re.MULTILINE)) * 3
        found += len(re.sub(pattern, "<>", text, flags=re.MULTILINE)) % 97
        found += sum(1 for match in re.finditer(pattern, text, re.MULTILINE) if match.end() % 2)
    return found


@functools.total_ordering
class Version:
    def __init__(self, *parts):
        self.parts = parts

    @property
    def major(self):
        return self.parts[0]

    def __eq__(self, other):
        return self.parts == other.parts

    def __lt__(self, other):
        return self.parts < other.parts

    def next(self):
        return Version(self.major, self.parts[1], self.parts[2] + 1)


def objects():
    """Objects that are made, compared and sorted by methods."""
    chance = random.Random(7)
    versions = [Version(*(chance.randrange(9) for _ in range(3))) for _ in range(30_000)]
    for _ in range(3):
        versions = sorted(version.next() for version in versions)
    newest = max(versions, key=lambda version: (version.major, version.parts[2]))
    return [*newest.parts, sum(one >= other for one, other in zip(versions, versions[1:]))]


def strings():
    """Text that is put together, split, replaced and formatted."""
    length = 0
    for number in range(32_000):
        parts = [f"{word}-{number:05d}" for word in WORDS]
        line = ", ".join(parts).replace("module", "part").title()
        fields = line.split(", ")
        length += sum(len(field.strip("-0")) for field in fields if field.startswith("P"))
        length += line.count("e") + len("%s:%d" % (line[:20], number))
    return length


def counts():
    """Generators, dictionaries and sets."""

    def numbers(last):
        value = 1
        while value < last:
            yield value
            value = value * 3 // 2 + 1

    seen = collections.defaultdict(int)
    unique = set()
    for start in range(1, 28_000):
        for value in numbers(start * 5):
            seen[value % 1009, start % 7] += 1
        unique.update(value ^ start for value in range(3))
    return [len(seen), max(seen.values()), len(unique)]


def calls():
    """Functions that call each other, with exceptions now and then."""

    def ways(steps, most=3):
        if steps < 0:
            raise ValueError(steps)
        if steps == 0:
            return 1
        total = 0
        for step in range(1, most + 1):
            try:
                total += ways(steps - step, most=most)
            except ValueError:
                break
        return total

    return ways(21)


def integers():
    """Loops over integers, of one digit inside and of many."""
    composite = bytearray(1_000_000)
    total = 0
    for number in range(2, len(composite)):
        if not composite[number]:
            total += number
            composite[number * number :: number] = b"\1" * len(composite[number * number :: number])
        elif number & 3 == 1:
            total ^= number << 2
    large = 1
    for number in range(1, 5_000):
        large *= number
    return [total, len(str(large >> 12_000))]


def pickles():
    """Objects in and out of pickles."""
    versions = {word: [Version(1, 2, n) for n in range(60)] for word in WORDS}
    for _ in range(220):
        versions = pickle.loads(pickle.dumps(versions))
    return len(versions)


WORKLOADS = {
    "n-body": bodies,
    "JSON": round_trips,
    "regular expressions": patterns,
    "objects, sorted": objects,
    "strings": strings,
    "generators, dictionaries": counts,
    "calls": calls,
    "integers": integers,
    "pickle": pickles,
}


def main():
    # Some integers are longer than may be printed.
    sys.set_int_max_str_digits(0)
    report = {}
    for name, workload in WORKLOADS.items():
        begun = time.process_time()
        result = workload()
        report[name] = [time.process_time() - begun, result]
    print(json.dumps(report))


if sys.argv[1:] != ["start"]:
    main()
