"""A compiler that compiles nothing: it answers tests, and tells which there were."""

import os
import sys

from .events import event


class CompileError(Exception):
    pass


class Compiler:
    """Never compiles: a test of a flag succeeds, any other test fails, and both are told."""

    def __init__(self):
        self.compiler_type = "msvc" if sys.platform == "win32" else "unix"
        self.compiler = self.compiler_so = ["cc"]
        self.compiler_cxx = ["c++"]
        self.linker_so = ["cc", "-shared"]
        self.linker_exe = ["cc"]
        self.include_dirs, self.library_dirs, self.libraries = [], [], []
        self.macros, self.objects, self.runtime_library_dirs = [], [], []
        self.obj_extension, self.shared_lib_extension = ".o", ".so"
        self.src_extensions = [".c", ".cc", ".cpp", ".cxx", ".m"]
        self.language_map, self.language_order = {}, []
        self.initialized = True

    def initialize(self, *args):
        pass

    def has_function(self, name, *args, **kw):
        event("compiler-test", what="is there a function `%s`" % name, answer="no")
        return False

    def compile(self, sources, *args, **kw):
        flags = kw.get("extra_postargs") or kw.get("extra_preargs")
        if flags:
            event("compiler-test", what="does it take %s" % " ".join(map(str, flags)), answer="yes")
            return [os.path.splitext(str(source))[0] + ".o" for source in sources]
        event("compiler-test", what="does %s compile" % ", ".join(
            os.path.basename(str(source)) for source in sources), answer="no")
        raise CompileError("nothing is compiled")

    def preprocess(self, source, *args, **kw):
        event("compiler-test", what="can %s be preprocessed" % source, answer="no")
        raise CompileError("nothing is compiled")

    def link_executable(self, *args, **kw):
        event("compiler-test", what="does a program link", answer="no")
        raise CompileError("nothing is linked")

    link_shared_object = link_shared_lib = link = create_static_lib = link_executable

    def object_filenames(self, sources, *args, **kw):
        return [os.path.splitext(str(source))[0] + ".o" for source in sources]

    def find_library_file(self, dirs, name, *args):
        event("compiler-test", what="is there a library `%s`" % name, answer="no")
        return None

    def set_executables(self, **kw):
        self.__dict__.update(kw)

    def set_executable(self, key, value):
        setattr(self, key, value)

    def add_include_dir(self, folder):
        self.include_dirs.append(folder)

    def add_library(self, name):
        self.libraries.append(name)

    def add_library_dir(self, folder):
        self.library_dirs.append(folder)

    def set_include_dirs(self, folders):
        self.include_dirs = list(folders)

    def set_libraries(self, names):
        self.libraries = list(names)

    def set_library_dirs(self, folders):
        self.library_dirs = list(folders)

    def define_macro(self, name, value=None):
        self.macros.append((name, value))

    def undefine_macro(self, name):
        self.macros.append((name,))

    def detect_language(self, sources):
        names = [sources] if isinstance(sources, str) else sources
        cxx = (".cc", ".cpp", ".cxx")
        return "c++" if any(os.path.splitext(name)[1] in cxx for name in names) else "c"
