"""Finds the modules and files of a program, and compiles them.

Run by the ordinary interpreter of the program's version: `python find REQUEST RESULT CONTENT`. The
request and the result are JSON; CONTENT gets bytes, of which the result says where they begin and
end.
"""

import json
import sys
import warnings

from contents import Distributions, Files, normalized, record
from linked import StaticWheels
from places import Folders, Found, Places, StandardLibrary, search_folders
from scan import IMPORT
from walk import Uncompilable, Unusable, Walk, script


def main():
    request_file, result_file, content_file = sys.argv[1:]
    sys.setrecursionlimit(20_000)
    warnings.simplefilter("ignore")
    with open(request_file, encoding="utf-8") as file:
        request = json.load(file)
    with open(content_file, "wb") as content:
        try:
            result = find(request, content)
        except Unusable as error:
            result = {"unusable": str(error), "uncompilable": isinstance(error, Uncompilable)}
    with open(result_file, "w", encoding="utf-8") as file:
        json.dump(result, file)


class Content:
    """The file of bytes."""

    def __init__(self, file):
        self._file = file
        self._at = 0

    def add(self, content):
        self._file.write(content)
        self._at += len(content)
        return [self._at - len(content), self._at]


def find(request, content_file):
    folders = Folders()
    standard = StandardLibrary(folders, request["library"])
    inputs = []
    roots = search_folders(request["roots"], folders, inputs)
    distributions = Distributions(roots, folders)

    def absent(name):
        return "; ".join((standard.absent(name), *(text for text, _ in distributions.editable())))

    asked = request["main"]
    given, generated = [], {}
    if "script" in asked:
        main_module = asked["name"]
        given.append(script(main_module, asked["script"]))
    elif "generated" in asked:
        main_module = asked["name"]
        given.append(Found(main_module, "code", False, None))
        generated[main_module] = asked["generated"].encode()
    else:
        main_module = asked["module"]
    links = request["links"]

    def from_memory(distribution):
        return links["packages"].get(normalized(distribution), links["others"]) == "memory"

    statics = StaticWheels(roots, folders, from_memory)
    compiled = frozenset(name for name, hint in request["hints"].items() if hint.get("compiled"))
    places = Places(roots, folders, given, statics.stems, compiled)
    if "module" in asked:
        of = standard.places if standard.has(main_module) else places
        found = of.find(main_module)
        if found is None:
            raise Unusable(absent(main_module))
        if found.is_package:
            main_module += ".__main__"
            if of.find(main_module) is None:
                raise Unusable(f"the package `{asked['module']}` has no `__main__`, so it can't be run")
    walk = Walk(request, places, standard, distributions)
    walk.run(main_module, generated)
    if main_module in generated:
        for name, whys in walk.missing.items():
            if any(by == main_module for by, _, _ in whys):
                raise Unusable(absent(name))
    walk.warnings.extend(shadowed(request, folders, walk))
    content = Content(content_file)
    result = described(request, walk, main_module, roots, folders, distributions, statics, content)
    result["inputs"] = sorted({*inputs, *distributions.inputs()})
    return result


def shadowed(request, folders, walk):
    """Modules beside a script that an interpreter would find before the standard library's."""
    folder = request["script-folder"]
    for name in sorted(folders.list(folder)) if folder is not None else ():
        module = name.removesuffix(".py")
        if module in walk.standard and (module != name or folders.list(f"{folder}/{name}").get("__init__.py") is False):
            text = f"`{module}` is the standard library's in the program, not the one beside the script"
            yield {"code": "shadowed", "message": text, "file": f"{folder}/{name}", "line": 0}


def described(request, walk, main_module, roots, folders, distributions, statics, content):
    needed, at_start = walk.needed(), walk.at_start()
    files = Files(folders, request["hints"], statics.files, distributions, walk.is_excluded)
    owners, required = {}, set()
    modules, packages = [], []
    for name, taken in sorted(walk.taken.items()):
        found = taken.found
        owner = None
        if found.file is not None:
            owner = distributions.owner(found.compiled or found.file) or distributions.owner(found.file)
        linked = found.linked
        if linked is not None and owner is None:
            owner = distributions.of_metadata(linked.root, linked.folder)
        if owner is not None:
            owners[owner.folder] = owner
        if found.is_package and found.kind in ("code", "namespace", "static"):
            packages.append(found)
        module = {
            "name": name,
            "kind": found.kind,
            "package": found.is_package,
            "path": found.path,
            "file": found.file,
            "distribution": owner.name if owner is not None else None,
            "by": taken.by,
            "line": taken.line,
            "how": taken.how,
            "required": name in needed and name not in walk.optional,
            "optional": name in walk.optional,
            "manifest": linked.manifest if linked is not None else None,
        }
        if taken.code is not None:
            module["code"] = content.add(taken.code)
            module["source"] = content.add(taken.source)
            if taken.original is not taken.source:
                module["original"] = content.add(taken.original or b"")
        if owner is not None and module["required"]:
            required.add(owner.folder)
        modules.append(module)
    # What is found by several is the innermost one's.
    for found in sorted(packages, key=lambda it: -it.name.count(".")):
        files.of_package(found)
    for name in sorted(walk.metadata):
        owner = distributions.named(name)
        if owner is not None:
            owners[owner.folder] = owner
    listed = []
    for _, owner in sorted(owners.items()):
        files.of_distribution(owner)
        is_required = owner.folder in required
        listed.append(
            {"name": owner.name, "version": owner.version, "licence": owner.licence, "required": is_required}
        )
    paths = {
        it["path"]
        for it in modules
        if it["kind"] in ("code", "static") or it["kind"] == "extension" and it["required"]
    }
    paths.update(files.found)
    described_files = [it for _, it in sorted(files.found.items())]
    for _, owner in sorted(owners.items()):
        if owner.record:
            path, text = record(owner, paths, statics.objects)
            described_files.append(
                {"path": path, "content": content.add(text), "kind": "metadata", "owner": owner.name}
            )
    missing = [
        {
            "name": name,
            "by": whys[0][0],
            "line": whys[0][1],
            "how": whys[0][2],
            "required": any(by in at_start and how == IMPORT for by, _, how in whys),
            "message": walk.standard_library.absent(name),
        }
        for name, whys in sorted(walk.missing.items())
    ]
    if any(it["required"] for it in missing):
        editable = distributions.editable()
        walk.warnings.extend({"code": "editable", "message": text, "file": file, "line": 0} for text, file in editable)
    return {
        "main": main_module,
        "modules": modules,
        "standard": [
            {"name": name, "by": by, "line": line, "how": how}
            for name, (by, line, how) in sorted(walk.standard.items())
        ],
        "at-start": sorted(walk.standard_at_start()),
        "files": described_files,
        "distributions": listed,
        "missing": missing,
        "warnings": walk.warnings,
        "folders": folders.all(),
        "roots": roots,
    }


if __name__ == "__main__":
    main()
