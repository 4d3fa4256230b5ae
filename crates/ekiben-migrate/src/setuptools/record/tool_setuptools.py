"""`[tool.setuptools]`, in the words of the arguments of `setup()`."""

from .extension import Extension
from .setup_cfg import directive, found_packages, lines_of, with_root


def arguments_of_tool(table, directives):
    """`[tool.setuptools]` in the words of setup()."""
    arguments = {}
    package_dir = table.get("package-dir")
    searched = "."
    if isinstance(table.get("packages"), dict):
        searched = table["packages"].get("find", {}).get("where", ["."])[0]
    package_dir = with_root(package_dir, searched)
    for key, value in table.items():
        name = key.replace("-", "_")
        if name == "packages" and isinstance(value, dict):
            options = value.get("find", {})
            mode = "find_namespace:" if options.get("namespaces", True) else "find:"
            directives[name] = mode
            arguments[name] = found_packages(mode, options)
        elif name == "ext_modules":
            arguments[name] = [Extension(**{k.replace("-", "_"): v for k, v in one.items()})
                               for one in value]
        elif name == "data_files":
            arguments[name] = [[folder, files] for folder, files in value.items()]
        elif name == "script_files":
            arguments["scripts"] = value
        elif name == "dynamic":
            for field, source in value.items():
                if not isinstance(source, dict):
                    continue
                if "attr" in source:
                    text = "attr: " + source["attr"]
                else:
                    files = source.get("file", [])
                    text = "file: " + ", ".join([files] if isinstance(files, str) else files)
                to = {"readme": "long_description", "dependencies": "install_requires",
                      "requires_python": "python_requires"}.get(field.replace("-", "_"), field)
                found = directive(text, to, package_dir, directives)
                if found is not None:
                    arguments[to] = lines_of(found) if to == "install_requires" else found.strip()
                if "content-type" in source:
                    arguments["long_description_content_type"] = source["content-type"]
        elif name in ("package_data", "exclude_package_data"):
            arguments[name] = {("" if k == "*" else k): v for k, v in value.items()}
        else:
            arguments[name] = value
    if package_dir:
        arguments["package_dir"] = package_dir
    return arguments
