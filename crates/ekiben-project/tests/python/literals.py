"""Says, as a line of JSON for each file of the standard library, what its literals are."""

import ast
import json
import os
import sysconfig
import warnings

warnings.simplefilter("ignore")


class Reader:
    def __init__(self, source):
        self.lines = source.encode().split(b"\n")
        self.tree = ast.parse(source)

    def text(self, node):
        lines = self.lines[node.lineno - 1 : node.end_lineno]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"\n".join(lines)

    def value(self, node):
        """A literal in the terms of Ekiben's reader; None for all others.

        Numbers in other bases, and characters by their names, are no part of a version.
        """
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                lone = any(0xD800 <= ord(c) < 0xE000 for c in node.value)
                return None if lone or b"\\N{" in self.text(node) else {"text": node.value}
            if type(node.value) is int and self.text(node).replace(b"_", b"").isdigit():
                return {"integer": node.value}
            return None
        if isinstance(node, (ast.Tuple, ast.List)):
            parts = [self.value(part) for part in node.elts]
            key = "tuple" if isinstance(node, ast.Tuple) else "list"
            return None if None in parts else {key: parts}
        return None

    def summary(self):
        assigned = []
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                targets, found = node.targets, node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None and node.simple:
                targets, found = [node.target], node.value
            else:
                continue
            literal = self.value(found)
            names = (target.id for target in targets if isinstance(target, ast.Name))
            assigned += ([name, literal] for name in names)
        return {"docstring": ast.get_docstring(self.tree, clean=False), "assigned": assigned}


def files(folder):
    for inner, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("site-packages", "dist-packages")]
        yield from (os.path.join(inner, name) for name in names if name.endswith(".py"))


for path in files(sysconfig.get_path("stdlib")):
    try:
        with open(path, encoding="utf-8") as file:
            found = Reader(file.read()).summary()
    except (SyntaxError, UnicodeDecodeError, RecursionError, ValueError):
        continue
    print(json.dumps({"path": path, "summary": found}))
