"""The hooks against a program that notes how it was called and does as it is told.

Run by `python -m unittest discover -s python/tests`; needs nothing but Python, on POSIX.
"""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "ekiben"

PROGRAM = """#!{python} -IS
import json, os, signal, sys, time
arguments = sys.argv[1:]
with open({log!r}, "w") as log:
    json.dump(dict(arguments=arguments, cwd=os.getcwd()), log)
mode = os.environ.get("FAKE_MODE", "succeed")
print("a compiler's output")
if mode == "fail":
    print("error: it went wrong", file=sys.stderr)
    sys.exit(1)
if mode == "die":
    os.kill(os.getpid(), signal.SIGKILL)
if mode == "wait":
    try:
        print("waiting", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        open({log!r} + ".cleaned", "w").close()
        sys.exit(130)
if arguments[:1] == ["pep517"]:
    result = ["plugin>=1"] if "requires" in arguments[1] else "x" * 100000 + ".whl"
    with open(int(arguments[arguments.index("--result-fd") + 1]), "w") as file:
        json.dump(dict(result=result), file)
"""


class Hooks(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.log = self.root / "log"

    def install(self, package: str, program: "str | None") -> Path:
        """Lays the package and the program out as an installer does."""
        shutil.copytree(PACKAGE, self.root / package, ignore=shutil.ignore_patterns("__pycache__"))
        if program is not None:
            path = self.root / program
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PROGRAM.format(python=sys.executable, log=str(self.log)))
            path.chmod(0o755)
        return self.root / package

    def start(self, package: Path, code: str, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", f"import ekiben; print({code})"],
            env={**os.environ, "PYTHONPATH": str(package.parent), **environment},
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, package: Path, code: str, **environment: str) -> "tuple[int, str, str]":
        process = self.start(package, code, **environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def noted(self) -> "list[str]":
        return json.loads(self.log.read_text())["arguments"]

    def test_the_result_is_not_taken_from_what_is_printed(self) -> None:
        package = self.install("lib/python3/site-packages/ekiben", "bin/ekiben")
        status, out, err = self.call(package, "len(ekiben.build_wheel('out', {'a': ['1', '2']}))")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(out.splitlines(), ["a compiler's output", "100004"])
        noted = self.noted()
        self.assertEqual(noted[:4], ["pep517", "build-wheel", "--interpreter", sys.executable])
        self.assertEqual(noted[noted.index("--out-dir") + 1], "out")
        settings = noted[noted.index("--config-settings") + 1]
        self.assertEqual(json.loads(settings), {"a": ["1", "2"]})

    def test_every_hook_has_its_command(self) -> None:
        package = self.install("lib/python3/site-packages/ekiben", "bin/ekiben")
        hooks = {
            "build_sdist('out')": "build-sdist",
            "build_editable('out')": "build-editable",
            "prepare_metadata_for_build_wheel('out')": "prepare-metadata",
            "prepare_metadata_for_build_editable('out')": "prepare-editable-metadata",
            "get_requires_for_build_wheel()": "get-requires-for-build-wheel",
            "get_requires_for_build_sdist()": "get-requires-for-build-sdist",
            "get_requires_for_build_editable()": "get-requires-for-build-editable",
        }
        for call, command in hooks.items():
            status, out, err = self.call(package, f"ekiben.{call}")
            self.assertEqual((status, err, self.noted()[1]), (0, "", command))
            self.assertEqual("['plugin>=1']" in out, "requires" in command)

    def test_a_failed_build_shows_no_traceback(self) -> None:
        package = self.install("lib/python3/site-packages/ekiben", "bin/ekiben")
        status, _, err = self.call(package, "ekiben.build_wheel('out')", FAKE_MODE="fail")
        self.assertEqual((status, err), (1, "error: it went wrong\n"))
        status, _, err = self.call(package, "ekiben.build_wheel('out')", FAKE_MODE="die")
        self.assertEqual((status, err), (1, "ekiben was ended by signal 9\n"))

    def test_an_interrupted_program_may_clean_up(self) -> None:
        package = self.install("lib/python3/site-packages/ekiben", "bin/ekiben")
        process = subprocess.Popen(
            [sys.executable, "-c", "import ekiben; ekiben.build_wheel('out')"],
            env={**os.environ, "PYTHONPATH": str(package.parent), "FAKE_MODE": "wait"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # Whoever runs the tests in the background may have it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert process.stdout is not None
        self.assertIn("waiting\n", iter(process.stdout.readline, ""))
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
        self.assertIn("KeyboardInterrupt", err)
        self.assertTrue(Path(f"{self.log}.cleaned").exists())

    def test_the_program_is_found_wherever_installers_put_it(self) -> None:
        layouts = {
            "venv": ("venv/lib/python3.11/site-packages/ekiben", "venv/bin/ekiben"),
            "target": ("target/ekiben", "target/bin/ekiben"),
            "path": ("elsewhere/ekiben", "on-path/ekiben"),
        }
        for name, (package, program) in layouts.items():
            with self.subTest(name):
                path = os.pathsep.join([str(self.root / "on-path"), os.environ["PATH"]])
                installed = self.install(package, program)
                status, out, err = self.call(installed, "ekiben._find_program()", PATH=path)
                self.assertEqual((status, out.strip(), err), (0, str(self.root / program), ""))

    def test_a_missing_program_is_explained(self) -> None:
        package = self.install("lonely/ekiben", None)
        status, _, err = self.call(package, "ekiben.build_wheel('out')", PATH=str(self.root))
        self.assertEqual(status, 1)
        self.assertIn("the program `ekiben` isn't there", err)
        self.assertIn("pip install --force-reinstall ekiben", err)

    def test_the_build_environment_is_the_prefix_that_pip_made(self) -> None:
        overlay = "pip-build-env-0a1b/overlay"
        package = self.install(f"{overlay}/lib/python3/site-packages/ekiben", f"{overlay}/bin/ekiben")
        self.assertEqual(self.call(package, "ekiben.build_wheel('out')[-4:]")[0], 0)
        noted = self.noted()
        environment = noted[noted.index("--build-environment") + 1]
        self.assertEqual(environment, str(self.root / overlay))

    def test_it_runs_as_a_module(self) -> None:
        package = self.install("lib/python3/site-packages/ekiben", "bin/ekiben")
        command = [sys.executable, "-m", "ekiben", "build", "--wheel"]
        environment = {**os.environ, "PYTHONPATH": str(package.parent)}
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(self.noted(), ["build", "--wheel"])

    def test_all_hooks_are_there(self) -> None:
        spec = importlib.util.spec_from_file_location("ekiben", PACKAGE / "__init__.py")
        assert spec is not None and spec.loader is not None
        ekiben = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(ekiben)
        for kind in ("wheel", "editable", "sdist"):
            self.assertTrue(callable(getattr(ekiben, f"build_{kind}")))
            self.assertTrue(callable(getattr(ekiben, f"get_requires_for_build_{kind}")))
        self.assertTrue(all(callable(getattr(ekiben, name)) for name in ekiben.__all__))

    def test_importing_it_imports_nothing_else(self) -> None:
        package = self.install("lib/python3/site-packages/ekiben", None)
        code = (
            "import sys, os; before = set(sys.modules); import ekiben;"
            "print(*(set(sys.modules) - before))"
        )
        environment = {**os.environ, "PYTHONPATH": str(package.parent)}
        run = subprocess.run(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
        )
        self.assertEqual(run.stdout.split(), ["ekiben"])


if __name__ == "__main__":
    unittest.main()
