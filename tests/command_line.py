"""The command line as a person runs it: in a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from provgrid.cli import run


def provgrid(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `provgrid ...` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "provgrid", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=1200,
    )


def in_this_process(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `provgrid ...` here, which saves loading everything anew, where the process itself is not what is tested."""
    said, noted = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(noted), contextlib.chdir(cwd or Path.cwd()):
        code = run(list(map(str, arguments)))
    return subprocess.CompletedProcess(arguments, code, said.getvalue(), noted.getvalue())


def start(*arguments: str | Path, cwd: Path | None = None) -> subprocess.Popen[str]:
    """Start `provgrid ...`."""
    return subprocess.Popen(
        [sys.executable, "-m", "provgrid", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )


def json_of(finished: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    """Parse stdout after checking the exit code, with stderr in sight where it is another."""
    assert finished.returncode == code, finished.stderr
    return json.loads(finished.stdout)


def one_line(finished: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the one line that an error prints, after checking code and shape."""
    assert finished.returncode == code, (finished.returncode, finished.stdout, finished.stderr)
    lines = finished.stderr.strip().splitlines()
    assert len(lines) == 1, finished.stderr
    assert lines[0].startswith("provgrid: ")
    return lines[0]


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, changed."""
    return {**os.environ, **changes}
