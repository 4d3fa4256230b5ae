"""Static wheels: compiled modules that are there as objects, which are linked into the program.

A static wheel's `.dist-info` has `static.json`, which says what its objects are.
"""

import json
import os

from walk import Unusable

MANIFEST = "static.json"


class Module:
    """A compiled module that is there as an object."""

    def __init__(self, root, folder, described):
        # Its dotted name.
        self.name = described["name"]
        self.object = os.path.join(root, described["object"])
        # What an ordinary wheel has in place of the object, below the root.
        self.file = os.path.normpath(described["file"])
        self.root = root
        # Of the wheel's metadata, below the root.
        self.folder = folder

    @property
    def manifest(self):
        return os.path.join(self.root, self.folder, MANIFEST)


class StaticWheels:
    """All that are in some folders."""

    def __init__(self, roots, folders, from_memory):
        # By paths without suffixes, and by those of objects.
        self.stems, self.objects = {}, {}
        # What static wheels have that ordinary ones haven't.
        self.files = set()
        for root in roots:
            for name, is_folder in sorted(folders.list(root).items()):
                if is_folder and name.endswith(".dist-info") and MANIFEST in folders.list(os.path.join(root, name)):
                    self._take(root, name, folders, from_memory)

    def _take(self, root, folder, folders, from_memory):
        path = os.path.join(root, folder, MANIFEST)
        self.files.add(path)
        try:
            with open(path, encoding="utf-8") as file:
                manifest = json.load(file)
            modules = [Module(root, folder, it) for it in manifest["modules"]]
            for library in manifest["libraries"]:
                inner = [library["inner"]] if "inner" in library else []
                self.files.update(os.path.join(root, it) for it in inner + library.get("licence-files", []))
            is_linked = not from_memory(manifest["name"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unusable(f"{path} can't be understood: {error!r}") from None
        for module in modules:
            self.files.add(module.object)
            inside, name = os.path.split(module.object)
            shared = os.path.join(root, module.file)
            has_shared = folders.list(os.path.dirname(shared)).get(os.path.basename(shared)) is False
            # What isn't to be linked, and is there in no other form, is for others to refuse.
            if folders.list(inside).get(name) is False and (is_linked or not has_shared):
                self.stems[os.path.join(inside, name.partition(".")[0])] = module
                self.objects[module.object] = module
