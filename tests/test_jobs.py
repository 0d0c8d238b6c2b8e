from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

JOBS = Path(__file__).parents[1] / "jobs"
COMMANDS = ("collect", "prepare", "train", "generate")
# A stand-in for the command line: it prints what it was given, and where a worker would look for the package.
CLI = """
import os
def main(argv):
    print(argv, os.environ.get("PYTHONPATH"))
    return 7
"""


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A working_dir with the jobs and a package of that name in it, which is not installed."""
    root = tmp_path / "checkout"
    for folder in ("jobs", "amt_ray/cli"):
        (root / folder).mkdir(parents=True)
    for path in JOBS.glob("*.py"):
        (root / "jobs" / path.name).write_bytes(path.read_bytes())
    (root / "amt_ray" / "__init__.py").touch()
    (root / "amt_ray" / "cli" / "__init__.py").touch()
    (root / "amt_ray" / "cli" / "main.py").write_text(CLI, encoding="utf-8")
    return root


def run(script: Path, *arguments: str, isolated: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a script from another folder; `isolated`: without what is installed for this Python."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, *(["-S"] if isolated else []), str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=environment, timeout=60)


def test_there_is_a_job_for_each_stage():
    assert {path.stem for path in JOBS.glob("*.py")} == {*COMMANDS, "entry"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_job_runs_its_command_in_a_checkout_that_is_not_installed(checkout, command):
    finished = run(checkout / "jobs" / f"{command}.py", "one", "--two", isolated=True)
    assert (finished.returncode, finished.stderr) == (7, "")
    assert finished.stdout == f"{[command, 'one', '--two']} {checkout}\n"


def test_a_job_fails_with_one_sentence(tmp_path):
    finished = run(JOBS / "collect.py", str(tmp_path / "nothing"), str(tmp_path / "workspace"))
    assert finished.returncode not in (0, 1)
    assert "nothing" in finished.stderr
    assert "Traceback" not in finished.stderr
