"""Compares our metadata with what pyproject_metadata makes of the same projects.

Reads a list of folders from the arguments; each holds pyproject.toml and METADATA. Prints one line
for each difference, and nothing if there is none.
"""

import os
import pathlib
import re
import sys
import tomllib
import warnings

from packaging.metadata import Metadata, RawMetadata
from pyproject_metadata import StandardMetadata
from validate_pyproject.api import Validator

warnings.simplefilter("ignore")
validator = Validator()


def normal(field, value):
    """Levels out where the reference adds something that the standards don't ask for."""
    if field == "requires_dist":
        return [str(requirement) for requirement in value or []]
    if field in ("author_email", "maintainer_email") and value:
        return re.sub(r"Unknown <([^>]*)>", r"\1", value)  # PEP 621: an address alone stays alone
    if field == "license" and value:
        return value.rstrip()
    if field == "import_names" and value:
        return [name.replace(" ;", ";") for name in value]
    return value


for folder in map(pathlib.Path, sys.argv[1:]):
    data = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    validator(data)
    ours = Metadata.from_email((folder / "METADATA").read_bytes(), validate=True)
    os.chdir(folder)  # the reference stores absolute paths where the folder is absolute
    standard = StandardMetadata.from_pyproject(data, ".")
    standard.metadata_version = ours.metadata_version
    theirs = Metadata.from_email(bytes(standard.as_rfc822()), validate=True)
    for field in RawMetadata.__annotations__:
        mine, other = (normal(field, getattr(metadata, field)) for metadata in (ours, theirs))
        if mine != other:
            print(f"{folder.name}: {field}: {mine!r} != {other!r}")
