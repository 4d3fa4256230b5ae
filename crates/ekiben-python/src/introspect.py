# Prints what Ekiben needs to know of this interpreter, as one line of JSON after a marker. Any
# Python must be able to parse this, however old, so that it can at least say how old it is.
#
# Importing `json` would cost as much as starting the interpreter, so it is written by hand.
import sys

# `-c` puts the current folder first: a project's own `os.py` must not be imported here.
if sys.path and sys.path[0] == "":
    del sys.path[0]


def facts():
    version = sys.version_info
    found = {
        "version": list(version[:3]) + [version[3], version[4]],
        "executable": sys.executable,
        "implementation": getattr(getattr(sys, "implementation", None), "name", "unknown"),
    }
    if version < (3, 8):
        return found

    import _imp
    import os
    import sysconfig

    get = sysconfig.get_config_var
    suffixes = _imp.extension_suffixes()
    # On Windows, EXT_SUFFIX was wrong before 3.8.7, and nothing is cross-compiled by faking it.
    ext_suffix = suffixes[0] if os.name == "nt" and suffixes else get("EXT_SUFFIX")
    debug = get("Py_DEBUG")
    name = getattr(sysconfig, "_get_sysconfigdata_name", lambda *_: "_sysconfigdata")
    try:
        data = sys.modules.get(name())
    except TypeError:
        data = None
    # Missing with `-S`, and in the `site` of virtualenv before version 20.
    try:
        site_packages = __import__("site").getsitepackages()
    except AttributeError:
        site_packages = []
    found.update(
        base_executable=getattr(sys, "_base_executable", None) or sys.executable,
        prefix=sys.prefix,
        base_prefix=sys.base_prefix,
        hexversion=sys.hexversion,
        cache_tag=sys.implementation.cache_tag,
        os=sys.platform,
        platform=sysconfig.get_platform(),
        soabi=get("SOABI"),
        ext_suffix=ext_suffix,
        extension_suffixes=suffixes,
        include=sysconfig.get_path("include"),
        platinclude=sysconfig.get_path("platinclude"),
        debug=hasattr(sys, "gettotalrefcount") if debug is None else bool(debug),
        gil_disabled=bool(get("Py_GIL_DISABLED")),
        enable_shared=bool(get("Py_ENABLE_SHARED")),
        ldlibrary=get("LDLIBRARY") or None,
        library=get("LIBRARY") or None,
        ldversion=get("LDVERSION") or None,
        libdir=get("LIBDIR") or None,
        libpl=get("LIBPL") or None,
        multiarch=get("MULTIARCH") or None,
        pointer_size=8 if sys.maxsize > 2**32 else 4,
        byteorder=sys.byteorder,
        abiflags=getattr(sys, "abiflags", ""),
        macos_deployment_target=str(get("MACOSX_DEPLOYMENT_TARGET") or "") or None,
        requested_macos_deployment_target=os.environ.get("MACOSX_DEPLOYMENT_TARGET") or None,
        requested_archflags=os.environ.get("ARCHFLAGS") or None,
        sysconfigdata=getattr(data, "__file__", None),
        paths=sysconfig.get_paths(),
        site_packages=site_packages,
    )
    return found


def to_json(value):
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join([to_json(item) for item in value]) + "]"
    if isinstance(value, dict):
        items = [to_json(str(key)) + ": " + to_json(value[key]) for key in sorted(value)]
        return "{" + ", ".join(items) + "}"
    return '"' + "".join([escape(character) for character in value]) + '"'


def escape(character):
    code = ord(character)
    if 32 <= code < 127 and character not in '"\\':
        return character
    if code < 0x10000:
        return "\\u%04x" % code
    # A surrogate pair: all that JSON's escapes can say.
    return "\\u%04x\\u%04x" % (0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF))


sys.stdout.write("\n@ekiben-facts@" + to_json(facts()) + "\n")
