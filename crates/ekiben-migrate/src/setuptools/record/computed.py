"""Which arguments of `setup()` the script computes, and which it states literally."""

import ast


def literal_names(tree):
    """Names that the script's top level binds once, to a literal."""
    bound, literal = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            bound[node.id] = bound.get(node.id, 0) + 1
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(
                node.targets[0], ast.Name) and is_literal(node.value, literal):
            literal.add(node.targets[0].id)
    return {name for name in literal if bound.get(name) == 1}


FINDERS = ("find_packages", "find_namespace_packages", "Extension", "cythonize")


def is_literal(node, names):
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(is_literal(item, names) for item in node.elts)
    if isinstance(node, ast.Dict):
        return all(key is not None and is_literal(key, names) for key in node.keys) and all(
            is_literal(value, names) for value in node.values)
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(
            node.func, "id", "")
        return called in FINDERS and all(is_literal(arg, names) for arg in node.args) and all(
            keyword.arg and is_literal(keyword.value, names) for keyword in node.keywords)
    try:
        ast.literal_eval(node)
        return True
    except ValueError:
        return False


def computed_keys(source, attrs, line):
    """Which arguments of setup() the script computes rather than states."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return sorted(attrs)
    names = literal_names(tree)
    best = None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(
                node.func, "id", "")
            if called == "setup" and node.lineno <= line <= getattr(node, "end_lineno", line):
                best = node
    if best is None:
        return sorted(attrs)
    stated = {keyword.arg for keyword in best.keywords
              if keyword.arg and is_literal(keyword.value, names)}
    return sorted(key for key in attrs if key not in stated)
