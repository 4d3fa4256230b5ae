"""What a module's syntax tree says: which modules it imports, and which files it may read.

Nothing is run. What depends on the platform or the version of Python is decided as this interpreter,
which is the program's, would.
"""

import ast
import os
import re
import sys

# How an import is reached. The first is done whenever the module is imported, the second may fail
# without harm, the third is done when a function is called or a condition holds, if ever.
IMPORT, GUARDED, LAZY = "import", "guarded", "lazy"

# What sources have that read files of packages.
_RESOURCE_WORDS = (b"resources", b"get_data")

# What makes it worth to look into expressions.
_WORDS = (
    b"__file__",
    b"__path__",
    b"import_module",
    b"__import__",
    b"entry_points",
    b"metadata",
    *_RESOURCE_WORDS,
)

# Functions that do something with a path.
_PATH_FUNCTIONS = frozenset(
    "open dirname join abspath realpath normpath relpath listdir scandir walk glob exists isfile isdir "
    "Path PurePath PosixPath FileSystemLoader".split()
)
# Functions that make a path of what isn't one.
_MAKES_PATH = frozenset("open str fspath Path".split())
_METADATA_FUNCTIONS = frozenset("version distribution metadata requires files".split())
# Functions of importlib.resources and pkgutil that import the package whose files they are about.
_RESOURCE_FUNCTIONS = frozenset(
    "files path contents is_resource open_binary open_text read_binary read_text get_data".split()
)
_CATCHES_IMPORT_ERRORS = frozenset("ImportError ModuleNotFoundError Exception BaseException".split())


class Scan:
    """The findings in one module. `words` are names that some import depends on the use of."""

    def __init__(self, source, tree, is_main, words=()):
        # (module, names or None, level, line, how, is_first): the last says whether it may be done when the
        # module is imported, as all outside of functions are; in the main module those in functions are
        # too, since it calls them.
        self.imports = []
        # (pattern or None, level, line, text): imports of names that are only known when the program runs. In
        # a pattern `*` stands for what isn't known, which isn't the package.
        self.dynamic = []
        # (line, text): uses of the module's own path.
        self.by_path = []
        # (line, group)
        self.groups = []
        # Names of distributions whose metadata are asked for.
        self.metadata = []
        # What a star import takes, as far as it is written down.
        self.all = []
        # Those of `words` that are named here.
        self.mentioned = _mentioned(tree, [word for word in words if word.encode() in source])
        self._is_main = is_main
        self._functions = 0
        self._is_attribute = False
        self._looks_into_expressions = any(word in source for word in _WORDS)
        self._reads_resources = any(word in source for word in _RESOURCE_WORDS)
        self._seen_paths = set()
        for statement in tree.body:
            self._statement(statement, IMPORT)

    # Statements

    def _statement(self, node, how):
        special = self._SPECIAL.get(type(node))
        if special is not None:
            special(self, node, how)
        else:
            self._children(node, how)

    def _children(self, node, how):
        for name in node._fields:
            value = getattr(node, name, None)
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, ast.expr):
                    self._expression(child, how)
                elif isinstance(child, ast.AST):
                    self._statement(child, how)

    def _all_of(self, statements, how):
        for statement in statements:
            self._statement(statement, how)

    def _import(self, node, how):
        for alias in node.names:
            self._add(alias.name, None, 0, node.lineno, how)

    def _import_from(self, node, how):
        names = [alias.name for alias in node.names]
        self._add(node.module or "", names, node.level, node.lineno, how)

    def _add(self, module, names, level, line, how):
        self.imports.append((module, names, level, line, how, self._is_main or not self._functions))

    def _function(self, node, how):
        for outside in [*node.decorator_list, node.args]:
            self._expression(outside, how)
        self._functions += 1
        is_attribute, self._is_attribute = self._is_attribute, node.name == "__getattr__"
        self._all_of(node.body, LAZY)
        self._is_attribute = is_attribute
        self._functions -= 1

    def _if(self, node, how):
        truth = _truth(node.test)
        self._expression(node.test, how)
        if truth is None:
            if _is_main_check(node.test):
                truth = self._is_main
            elif how == IMPORT:
                how = LAZY
        if truth is not False:
            self._all_of(node.body, how)
        if truth is not True:
            self._all_of(node.orelse, how)

    def _try(self, node, how):
        guarded = GUARDED if how == IMPORT and _catches_import_errors(node) else how
        self._all_of(node.body, guarded)
        for handler in node.handlers:
            self._all_of(handler.body, guarded)
        self._all_of(node.orelse, how)
        self._all_of(node.finalbody, how)

    def _with(self, node, how):
        for item in node.items:
            self._expression(item.context_expr, how)
        suppresses = any(
            isinstance(item.context_expr, ast.Call)
            and _last_name(item.context_expr.func) == "suppress"
            and any(_last_name(it) in _CATCHES_IMPORT_ERRORS for it in item.context_expr.args)
            for item in node.items
        )
        self._all_of(node.body, GUARDED if suppresses and how == IMPORT else how)

    def _assign(self, node, how):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(it, ast.Name) and it.id == "__all__" for it in targets):
            self.all.extend(_strings(node.value))
        if node.value is not None:
            self._expression(node.value, how)

    _SPECIAL = {
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.If: _if,
        ast.Try: _try,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Assign: _assign,
        ast.AnnAssign: _assign,
        ast.AugAssign: _assign,
    }
    if hasattr(ast, "TryStar"):
        _SPECIAL[ast.TryStar] = _try

    # Expressions

    def _expression(self, node, how):
        if not self._looks_into_expressions:
            return
        for call in ast.walk(node):
            if isinstance(call, ast.Call):
                self._call(call, how)

    def _call(self, call, how):
        name = _last_name(call.func)
        first = call.args[0] if call.args else None
        if name in ("import_module", "__import__"):
            text = first.value if isinstance(first, ast.Constant) else _in_package(first)
            if isinstance(text, str) and text.strip("."):
                module = text.lstrip(".")
                level = len(text) - len(module)
                if name == "__import__" and isinstance(first, ast.Constant):
                    level = _level(call, level)
                self._add(module, None, level, call.lineno, how)
            elif first is not None:
                self._add_dynamic(call, _pattern(first), _level(call, 0))
        elif name == "entry_points":
            group = next((it.value for it in call.keywords if it.arg == "group"), None)
            if isinstance(group, ast.Constant) and isinstance(group.value, str):
                self.groups.append((call.lineno, group.value))
        elif name in _METADATA_FUNCTIONS:
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                self.metadata.append(first.value)
            elif isinstance(first, ast.Name) and first.id in ("__name__", "__package__"):
                self.metadata.append("")
        if self._reads_resources and name in _RESOURCE_FUNCTIONS and isinstance(first, ast.Constant):
            # Functions of others have these names too, so it may mean no module at all.
            if isinstance(first.value, str) and first.value.replace(".", "_").isidentifier():
                self._add(first.value, None, 0, call.lineno, GUARDED)
        if call.lineno not in self._seen_paths and self._needs_path(name, call):
            self._seen_paths.add(call.lineno)
            self.by_path.append((call.lineno, _text(call)))

    def _needs_path(self, name, call):
        """Whether a call works only if the module, or what belongs to it, is at some path."""
        of_own = name in _PATH_FUNCTIONS
        # What `importlib.resources.files` gives can be read, but is at no path.
        of_resource = self._reads_resources and name in _MAKES_PATH
        return (of_own or of_resource) and any(
            of_own and _is_own_path(it) or of_resource and _is_resource(it)
            for argument in call.args
            for it in ast.walk(argument)
        )

    def _add_dynamic(self, call, pattern, level):
        if pattern is not None:
            dots = len(pattern) - len(pattern.lstrip("."))
            of = [*call.args[1:2], *(it.value for it in call.keywords if it.arg == "package")]
            if dots == 1 and of and isinstance(of[0], ast.Constant):
                pattern, dots = f"{of[0].value}{pattern}", 0
            pattern, level = pattern[dots:], level + dots
            # What is imported as an attribute is so where that is named, not all there may be.
            if self._is_attribute or not level and "." not in pattern.partition("*")[0]:
                pattern = None
        self.dynamic.append((pattern, level, call.lineno, _text(call)))


# Also what a `try` begins with.
_FIRST_IMPORTS = re.compile(rb"^(?:try:\s*\n[ \t]+)?(?:from[ \t]+(\.*)([\w.]*)[ \t]+import|import[ \t]+([\w., \t]+))", re.M)


def first_imports(source):
    """The imports that a source has at the beginning of lines, as (module, level)."""
    for dots, module, modules in _FIRST_IMPORTS.findall(source):
        for it in modules.decode().split(",") if modules else (module.decode(),):
            # Without `as`.
            yield it.partition(" as ")[0].strip(), len(dots)


def _mentioned(tree, words):
    """Which of some words are names in a tree, or texts of their own, by which something may be looked
    up."""
    found = set()
    for node in ast.walk(tree) if words else ():
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.update(node.name.split("."))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found.intersection(words)


def _level(call, otherwise):
    """The level that a call of `__import__` names."""
    for keyword in call.keywords:
        if keyword.arg == "level" and isinstance(keyword.value, ast.Constant):
            return keyword.value.value or 0
    return otherwise


def _in_package(node):
    """What `__package__ + ".name"` means: a relative name; None for all else."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and isinstance(node.left, ast.Name):
        if node.left.id == "__package__" and isinstance(node.right, ast.Constant):
            return node.right.value
    return None


# What `%` and `str.format` put something in place of.
_PERCENT = re.compile(r"%[-+ #0-9.]*[a-z]")
_BRACES = re.compile(r"\{[^{}]*\}")


def _pattern(node):
    """What is known of a name that is put together, with `*` for what isn't. It is relative if it begins with
    the module's own name. None if it is no name."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) and "*" not in node.value else None
    if isinstance(node, ast.Name) and node.id in ("__name__", "__package__"):
        return ""
    if isinstance(node, ast.FormattedValue):
        return _pattern(node.value) if isinstance(node.value, ast.Name) else "*"
    if isinstance(node, ast.JoinedStr):
        parts = [_pattern(it) for it in node.values]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_pattern(node.left), _pattern(node.right)]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
        text = _pattern(node.left)
        return text and _PERCENT.sub("*", text)
    elif isinstance(node, ast.Call) and _last_name(node.func) == "format" and isinstance(node.func, ast.Attribute):
        text = _pattern(node.func.value)
        return text and _BRACES.sub("*", text)
    else:
        return "*"
    return None if None in parts else "".join(parts)


def _is_own_path(node):
    if isinstance(node, ast.Name):
        return node.id in ("__file__", "__path__")
    return isinstance(node, ast.Attribute) and node.attr in ("__file__", "__path__")


def _is_resource(node):
    """Whether it is what `importlib.resources.files` gives."""
    if not isinstance(node, ast.Call) or _last_name(node.func) != "files":
        return False
    of = node.func.value if isinstance(node.func, ast.Attribute) else None
    # Also `importlib_resources`, whatever it is called.
    return of is None or (_last_name(of) or "").endswith("resources")


def _text(node):
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 80 else text[:77] + "..."


def _last_name(node):
    """The name of a function, without what it is an attribute of."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


def _strings(node):
    """The strings that a list is put together from."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _strings(node.left) + _strings(node.right)
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return [it.value for it in node.elts if isinstance(it, ast.Constant) and isinstance(it.value, str)]
    return []


def _catches_import_errors(node):
    for handler in node.handlers:
        if isinstance(handler.body[-1], ast.Raise):
            # It only says better what is wrong.
            continue
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if any(kind is None or _last_name(kind) in _CATCHES_IMPORT_ERRORS for kind in kinds):
            return True
    return False


def _is_main_check(test):
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.Eq)
    )


def _truth(test):
    """What a condition comes to in every run of the program, or None."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if _last_name(test) == "TYPE_CHECKING":
        return False
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        truth = _truth(test.operand)
        return None if truth is None else not truth
    if isinstance(test, ast.BoolOp):
        truths = [_truth(value) for value in test.values]
        decides = isinstance(test.op, ast.Or)
        if decides in truths:
            return decides
        return None if None in truths else not decides
    if isinstance(test, ast.Call):
        # sys.platform.startswith("win")
        function = test.func
        if isinstance(function, ast.Attribute) and function.attr == "startswith" and test.args:
            value, start = _value(function.value), _value(test.args[0])
            if isinstance(value, str) and isinstance(start, (str, tuple)):
                return value.startswith(start)
        return None
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, right = _value(test.left), _value(test.comparators[0])
        compare = _COMPARISONS.get(type(test.ops[0]))
        if left is None or right is None or compare is None:
            return None
        try:
            return bool(compare(left, right))
        except TypeError:
            return None
    return None


_COMPARISONS = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def _value(node):
    """The value of an expression that is the same in every run, or None."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        values = tuple(_value(it) for it in node.elts)
        return None if None in values else values
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return {
            ("sys", "platform"): sys.platform,
            ("os", "name"): os.name,
            ("sys", "version_info"): tuple(sys.version_info),
            ("sys", "hexversion"): sys.hexversion,
        }.get((node.value.id, node.attr))
    if isinstance(node, ast.Subscript):
        value = _value(node.value)
        if not isinstance(value, tuple):
            return None
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            return value[node.slice.value] if node.slice.value < len(value) else None
        if isinstance(node.slice, ast.Slice) and node.slice.lower is None and node.slice.step is None:
            upper = _value(node.slice.upper) if node.slice.upper is not None else None
            return value[:upper] if isinstance(upper, int) else None
    return None
