"""The programs as users have them: a wheel, installed into a virtual environment of its own, compiled to bytecode.

A checkout installed in place is slower to start, and a `python3` that is a shim of a version manager slower still.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def real_interpreter() -> str:
    """Return the interpreter that the virtual environment of this process was made from, past links and shims."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = Path(sys.base_prefix, "bin", name)
    return os.path.realpath(found if found.exists() else sys.executable)


def quiet_environment(home: Path) -> dict[str, str]:
    """Return the environment in which everything is measured: none of the caller's settings of Python or of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(home), "APPC_CONFIG": str(home / "config"), "APPC_DIR": str(home / "data")}


class Programs:
    """The installed programs: `programs["acrun"]` is the path of one."""

    def __init__(self, place: Path) -> None:
        """Build the wheel of this checkout and install it below *place*."""
        self.bin = place / "venv" / "bin"
        self.python = str(self.bin / "python")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        pip = [self.python, "-m", "pip", "--quiet", "--quiet", "--disable-pip-version-check"]
        for words in (
            [real_interpreter(), "-m", "venv", str(place / "venv")],
            [*pip, "wheel", "--no-deps", "--wheel-dir", str(place / "wheel"), str(ROOT)],
        ):
            subprocess.run(words, check=True, env=clean, stdout=subprocess.DEVNULL)
        wheel = str(next((place / "wheel").glob("*.whl")))
        for words in ([*pip, "install", wheel], [self.python, "-m", "compileall", "-q", str(place / "venv" / "lib")]):
            subprocess.run(words, check=True, env=clean, stdout=subprocess.DEVNULL)

    def __getitem__(self, name: str) -> str:
        return str(self.bin / name)

    @property
    def stage1(self) -> list[str]:
        """The words with which acrun starts stage1."""
        code = "import acstage1; print(acstage1.__path__[0])"
        answer = subprocess.run([self.python, "-c", code], check=True, capture_output=True, text=True)
        return [self.python, "-I", "-S", os.path.join(answer.stdout.strip(), "__main__.py")]
