"""Prints in what two archives differ, a fact of a member a line: `time of a/b.py: 1 and 2`.

Two archives that differ in no fact but in bytes are told apart by a line about themselves.
"""

import calendar
import sys
import tarfile
import zipfile


def facts_of_wheel(path):
    with zipfile.ZipFile(path) as archive:
        for place, member in enumerate(archive.infolist()):
            yield member.filename, {
                "place": place,
                "time": calendar.timegm(member.date_time + (0, 0, 0)),
                "mode": oct(member.external_attr >> 16),
                "compression": member.compress_type,
                "system": member.create_system,
                "extra data": member.extra,
                "content": archive.read(member),
            }


def facts_of_sdist(path):
    with tarfile.open(path) as archive:
        for place, member in enumerate(archive):
            yield member.name, {
                "place": place,
                "time": member.mtime,
                "mode": oct(member.mode),
                "owner": (member.uid, member.gid, member.uname, member.gname),
                "type": member.type,
                "link": member.linkname,
                "content": archive.extractfile(member).read() if member.isfile() else b"",
            }


def facts(path):
    return dict((facts_of_wheel if path.endswith(".whl") else facts_of_sdist)(path))


def show(one, other):
    if not isinstance(one, bytes) or max(len(one), len(other)) < 40:
        return f"{one} and {other}"
    first = next((at for at, (a, b) in enumerate(zip(one, other)) if a != b), None)
    start = f"from byte {first}" if first is not None else "after the end of the shorter"
    return f"{len(one)} bytes and {len(other)} bytes, different {start}"


def differences(one, other):
    for name in sorted(one.keys() ^ other.keys()):
        yield f"presence of {name}: only in the {'first' if name in one else 'second'}"
    for name in sorted(one.keys() & other.keys()):
        for fact, value in one[name].items():
            if value != other[name][fact]:
                yield f"{fact} of {name}: {show(value, other[name][fact])}"


def main():
    paths = sys.argv[1:3]
    lines = list(differences(*map(facts, paths)))
    one, other = (open(path, "rb").read() for path in paths)
    if not lines and one != other:
        lines = ["the archive itself: the same members, in different bytes"]
    print(*lines, sep="\n")


main()
