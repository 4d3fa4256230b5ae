"""The JSON schema of `[tool.ekiben]`, for tools that check `pyproject.toml`.

validate-pyproject finds it by the entry point in `validate_pyproject.tool_schema`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def tool_schema(tool_name: str) -> "dict[str, Any]":
    """Settings of the build backend Ekiben."""
    import json
    import subprocess

    from ekiben import _find_program

    command = [_find_program(), "config", "--format", "schema"]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return dict(json.loads(printed))
