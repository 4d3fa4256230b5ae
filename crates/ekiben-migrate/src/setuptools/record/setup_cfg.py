"""setup.cfg, in the words of the arguments of `setup()`."""

import ast
import configparser
import os
import re
import sys
import tokenize

from .events import event
from .find import find_namespace_packages, find_packages


def list_of(text, separator=","):
    parts = text.splitlines() if "\n" in text else text.split(separator)
    return [part.strip() for part in parts if part.strip()]


def lines_of(text):
    # Requirements may hold commas: a line each, or separated by semicolons (setuptools).
    parts = text.splitlines() if "\n" in text else text.split(";") if ";" in text and not re.search(
        r";\s*(python|sys_|os_|platform|extra|implementation)", text) else [text]
    return [part.strip() for part in parts if part.strip() and not part.strip().startswith("#")]


def dict_of(text):
    found = {}
    for line in list_of(text):
        key, _, value = line.partition("=")
        found[key.strip()] = value.strip()
    return found


def truth(text):
    return text.strip().lower() in ("1", "true", "yes")


def attribute(text, package_dir):
    """`attr: package.module.NAME`: read from the source if it is a literal, else by an import."""
    module, _, name = text.strip().rpartition(".")
    base = package_dir.get("", "") if package_dir else ""
    parts = module.split(".")
    if package_dir and parts[0] in package_dir:
        path = os.path.join(package_dir[parts[0]], *parts[1:])
    else:
        path = os.path.join(base, *parts)
    for file in (path + ".py", os.path.join(path, "__init__.py")):
        if not os.path.isfile(file):
            continue
        with tokenize.open(file) as source:
            tree = ast.parse(source.read())
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else (
                [node.target] if isinstance(node, ast.AnnAssign) else [])
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                try:
                    return ast.literal_eval(node.value)
                except ValueError:
                    break
        break
    sys.path.insert(0, base or ".")
    return getattr(__import__(module, fromlist=[name]), name)


LISTS = {"classifiers", "keywords", "platforms", "provides", "obsoletes", "license_files", "scripts",
         "py_modules", "namespace_packages", "packages", "eager_resources", "dependency_links"}
REQUIREMENTS = {"install_requires", "setup_requires", "tests_require"}
TRUTHS = {"zip_safe", "include_package_data", "use_2to3"}
ALIASES = {"home_page": "url", "home-page": "url", "summary": "description", "author-email": "author_email",
           "classifier": "classifiers", "platform": "platforms", "license_file": "license_files"}


KNOWN = {
    "name", "version", "description", "long_description", "long_description_content_type", "author",
    "author_email", "maintainer", "maintainer_email", "url", "download_url", "project_urls",
    "license", "license_expression", "python_requires", "requires", "test_suite", "test_loader",
}


def directive(text, key, package_dir, directives):
    if isinstance(text, str) and text.startswith("file:"):
        directives[key] = text
        files = [name.strip() for name in text[5:].split(",") if name.strip()]
        parts = []
        for name in files:
            try:
                with open(name, encoding="utf-8") as file:
                    parts.append(file.read())
            except OSError:
                event("missing-file", name=name, key=key)
        return "\n".join(parts)
    if isinstance(text, str) and text.startswith("attr:"):
        directives[key] = text
        try:
            value = attribute(text[5:], package_dir)
        except Exception as error:
            event("attribute", key=key, what="%s: %s" % (type(error).__name__, error))
            return None
        return ".".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
    return text


def with_root(package_dir, searched):
    """setuptools takes the folder in which it finds packages for the root of all."""
    if os.path.normpath(searched) == "." or "" in (package_dir or {}):
        return package_dir
    return dict(package_dir or {}, **{"": searched})


def found_packages(mode, options):
    where = options.get("where", ".")
    where = list_of(where)[0] if isinstance(where, str) and list_of(where) else where
    where = where[0] if isinstance(where, list) else where
    def patterns(key, default):
        value = options.get(key)
        return (list_of(value) if isinstance(value, str) else value) or default
    find = find_namespace_packages if mode == "find_namespace:" else find_packages
    return find(where, patterns("exclude", ()), patterns("include", ("*",)))


def read_setup_cfg(path):
    parser = configparser.RawConfigParser()
    parser.optionxform = str
    with open(path, encoding="utf-8-sig") as file:
        parser.read_file(file)
    return {section: dict(parser.items(section)) for section in parser.sections()}


def arguments_of_cfg(sections, directives, unknown):
    arguments = {}
    options = {k.replace("-", "_"): v for k, v in sections.get("options", {}).items()}
    package_dir = dict_of(options["package_dir"]) if "package_dir" in options else None
    if options.get("packages", "").strip() in ("find:", "find_namespace:"):
        where = list_of(sections.get("options.packages.find", {}).get("where", "")) or ["."]
        package_dir = with_root(package_dir, where[0])
    for section in ("metadata", "options"):
        for key, text in sections.get(section, {}).items():
            key = ALIASES.get(key, key.replace("-", "_"))
            key = ALIASES.get(key, key)
            text = text.strip()
            if key == "packages" and text in ("find:", "find_namespace:"):
                directives[key] = text
                arguments[key] = found_packages(text, sections.get("options.packages.find", {}))
                continue
            value = directive(text, key, package_dir, directives)
            if value is None:
                continue
            if key in REQUIREMENTS:
                arguments[key] = lines_of(value)
            elif key in LISTS:
                arguments[key] = list_of(value)
            elif key in TRUTHS:
                arguments[key] = truth(value)
            elif key in ("project_urls", "package_dir"):
                arguments[key] = dict_of(value)
            elif key == "cmdclass":
                arguments[key] = dict_of(value)
            elif key == "entry_points":
                arguments[key] = value
            elif key in KNOWN:
                arguments[key] = value
            else:
                unknown.append("%s.%s" % (section, key))
    for name, entries in sections.items():
        if name == "options.extras_require":
            arguments["extras_require"] = {
                key: lines_of(directive(value.strip(), key, None, directives) or "")
                for key, value in entries.items()}
        elif name == "options.entry_points":
            arguments["entry_points"] = {key: lines_of(value) for key, value in entries.items()}
        elif name in ("options.package_data", "options.exclude_package_data"):
            arguments[name[8:]] = {("" if key == "*" else key): list_of(value)
                                   for key, value in entries.items()}
        elif name == "options.data_files":
            arguments["data_files"] = [[key, list_of(value)] for key, value in entries.items()]
        elif name.startswith("options.") and name != "options.packages.find":
            unknown.append(name)
    if package_dir:
        arguments["package_dir"] = package_dir
    return arguments
