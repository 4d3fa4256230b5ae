"""`cythonize()`, which makes extensions of patterns and the headers of Cython files."""

import glob
import os
import re
import tokenize

from .answer import plain
from .events import event
from .extension import Extension, EXTENSION_LISTS


DISTUTILS_LINE = re.compile(r"#\s*distutils\s*:\s*(\w+)\s*=\s*(.*?)\s*$")


def cython_header(path):
    """The settings that a Cython file states for its extension in comments at its top."""
    settings = {}
    try:
        with tokenize.open(path) as file:
            for line in file:
                line = line.strip()
                if line and not line.startswith("#"):
                    break
                match = DISTUTILS_LINE.match(line)
                if match:
                    settings.setdefault(match[1], []).extend(re.split(r"[,\s]+", match[2].strip("[]")))
    except (OSError, SyntaxError, UnicodeDecodeError):
        pass
    return settings


def apply_header(extension, path):
    for key, values in cython_header(path).items():
        values = [value for value in values if value]
        if key == "language":
            extension.language = extension.language or " ".join(values)
        elif key == "define_macros":
            extension.define_macros += [tuple(v.split("=", 1)) if "=" in v else (v, None)
                                        for v in values]
        elif key == "sources":
            folder = os.path.dirname(path)
            extension.sources += [os.path.join(folder, value) for value in values
                                  if os.path.join(folder, value) not in extension.sources]
        elif key in EXTENSION_LISTS:
            getattr(extension, key).extend(values)


def module_of(path):
    parts = [os.path.splitext(os.path.basename(path))[0]]
    folder = os.path.dirname(path)
    while folder and os.path.basename(folder) not in ("", ".") and any(
            os.path.isfile(os.path.join(folder, "__init__." + suffix))
            for suffix in ("py", "pyx", "pxd")):
        parts.insert(0, os.path.basename(folder))
        folder = os.path.dirname(folder)
    return ".".join(parts)


def cythonize(modules, exclude=None, nthreads=0, aliases=None, quiet=False, force=None,
              language=None, exclude_failures=False, **options):
    event("needs", module="Cython")
    if options:
        event("cythonize", options=plain(options))
    single = isinstance(modules, (str, os.PathLike, Extension))
    result = []
    for module in [modules] if single else modules:
        if isinstance(module, Extension):
            patterns, made = module.sources, module
        else:
            patterns, made = [os.fspath(module)], None
        if made is not None and "*" not in made.name and not any("*" in s for s in made.sources):
            for source in list(made.sources):
                if source.endswith((".pyx", ".py")):
                    apply_header(made, source)
            result.append(made)
            continue
        for pattern in patterns:
            for path in sorted(glob.glob(pattern, recursive=True)):
                one = Extension(module_of(path), [path], language=language)
                if made is not None:
                    for field in EXTENSION_LISTS:
                        getattr(one, field).extend(getattr(made, field))
                    one.language = one.language or made.language
                apply_header(one, path)
                result.append(one)
    return result
