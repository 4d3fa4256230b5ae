"""NumPy and pkgconfig, whose answers are folders in the stand-ins' world."""

import re

from .events import event, STAND_IN


def numpy_include():
    event("needs", module="numpy")
    return STAND_IN + "/uses/numpy"


def pkgconfig_parse(packages, *args, **kw):
    found = {"define_macros": [], "include_dirs": [], "library_dirs": [], "libraries": []}
    for name in re.findall(r"[A-Za-z][\w.+-]*", packages):
        event("pkg-config", name=name)
        found["include_dirs"].append("%s/uses/pkg-config:%s" % (STAND_IN, name))
    return found


def configure_extension(extension, packages, *args, **kw):
    for key, value in pkgconfig_parse(packages).items():
        getattr(extension, key).extend(value)
