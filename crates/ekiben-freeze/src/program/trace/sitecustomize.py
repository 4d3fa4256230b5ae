"""Records which modules are imported, in this process and in those of Python that it starts.

`site` imports it before the program begins, since its folder is on PYTHONPATH. What is found is written
at once, and by name: processes that are forked may end by `os._exit`, and programs may close all files.
"""

import atexit
import os
import site
import sys


class Recorder:
    """Finds modules as the finders after it do, and notes which there are."""

    def __init__(self, file):
        self._file = file
        self._known = set()

    def find_spec(self, name, path=None, target=None):
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec = find(name, path, target)
            if spec is not None:
                self.note((name,))
                return spec
        return None

    def note(self, names):
        new = [name for name in names if name not in self._known]
        self._known.update(new)
        try:
            with open(self._file, "a", encoding="utf-8") as file:
                file.write("".join(f"{name}\n" for name in new))
        except OSError:
            # The program matters more.
            pass

    def end(self):
        # What came by other ways: finders that the program put before this one.
        self.note([name for name, module in list(sys.modules.items()) if module is not None])


def begin():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    for folder in filter(None, os.environ["EKIBEN_TRACE_SITE"].split(os.pathsep)):
        site.addsitedir(folder)
    recorder = Recorder(os.environ["EKIBEN_TRACE_TO"])
    sys.meta_path.insert(0, recorder)
    atexit.register(recorder.end)


if "EKIBEN_TRACE_TO" in os.environ:
    begin()
