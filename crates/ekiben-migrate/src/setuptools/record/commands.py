"""Commands of setuptools, most of which do nothing.

`build_ext` goes on up to the point where it would compile, so that what a project's own class adds
to its extensions is seen.
"""

import os
import re
import shutil

from .compiler import Compiler
from .events import STAND_IN
from .programs import refuse


class Command:
    user_options, boolean_options, negative_opt, sub_commands = [], [], {}, []
    description = ""

    def __init__(self, dist, **kw):
        self.distribution = dist
        self.verbose, self.force, self.finalized, self.dry_run, self.help = 0, None, 0, 0, 0
        self.initialize_options()
        self.__dict__.update(kw)

    def initialize_options(self):
        pass

    def finalize_options(self):
        pass

    def ensure_finalized(self):
        if not self.finalized:
            self.finalize_options()
        self.finalized = 1

    def run(self):
        pass

    def announce(self, *args, **kw):
        pass

    warn = debug_print = announce

    def get_finalized_command(self, name, create=1):
        command = self.distribution.get_command_obj(name)
        command.ensure_finalized()
        return command

    def run_command(self, name):
        self.distribution.run_command(name)

    reinitialize_command = get_finalized_command

    def get_sub_commands(self):
        return []

    def set_undefined_options(self, *args):
        pass

    def ensure_string_list(self, option):
        value = getattr(self, option)
        if isinstance(value, str):
            setattr(self, option, re.split(r",\s*|\s+", value))

    def get_command_name(self):
        return type(self).__name__

    def execute(self, func, args, msg=None, level=1):
        func(*args)

    def mkpath(self, name, mode=0o777):
        os.makedirs(name, exist_ok=True)

    def copy_file(self, source, target, *args, **kw):
        shutil.copy(source, target)
        return target, 1

    def copy_tree(self, *args, **kw):
        return []

    def make_file(self, *args, **kw):
        pass

    def spawn(self, command, *args, **kw):
        refuse(command)


class build_ext(Command):
    user_options = [("inplace", "i", ""), ("debug", "g", ""), ("parallel=", "j", "")]
    sep_by = os.pathsep

    def initialize_options(self):
        self.extensions = self.compiler = self.package = self.parallel = self.plat_name = None
        self.build_lib = self.build_temp = "build"
        self.inplace = self.debug = self.user = 0
        self.include_dirs = self.libraries = self.library_dirs = self.rpath = None
        self.define = self.undef = self.link_objects = None
        self.swig, self.swig_cpp, self.swig_opts = None, None, []

    def finalize_options(self):
        self.extensions = self.distribution.ext_modules
        for field in ("include_dirs", "libraries", "library_dirs", "rpath", "link_objects"):
            if getattr(self, field) is None:
                setattr(self, field, [])

    def run(self):
        if self.extensions:
            self.compiler = Compiler()
            self.build_extensions()

    def check_extensions_list(self, extensions):
        pass

    def build_extensions(self):
        for extension in self.extensions:
            self.build_extension(extension)

    def build_extension(self, extension):
        self.distribution.built.append(extension)

    def swig_sources(self, sources, extension):
        return sources

    cython_sources = swig_sources

    def get_source_files(self):
        return [source for extension in self.extensions or () for source in extension.sources]

    def get_ext_fullname(self, name):
        return name

    def get_ext_filename(self, name):
        return name.replace(".", os.sep) + ".so"

    def get_ext_fullpath(self, name):
        return os.path.join(self.build_lib, self.get_ext_filename(name))

    def get_outputs(self):
        return []

    def get_libraries(self, extension):
        return extension.libraries

    def get_export_symbols(self, extension):
        return extension.export_symbols

    def copy_extensions_to_source(self):
        pass


class CppyBuildExt(build_ext):
    def build_extensions(self):
        for extension in self.extensions:
            extension.include_dirs.insert(0, STAND_IN + "/package/cppy/include")
            if extension.language is None:
                extension.language = "c++"
        super().build_extensions()
