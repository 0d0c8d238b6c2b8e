"""What the README claims of commands and files is so."""

import re
import shlex
from pathlib import Path

import pytest

from amt_ray.cli.main import EXIT_CODES, app, main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = {command.name or command.callback.__name__ for command in app.registered_commands} | {"inspect"}


def test_every_command_has_its_row_and_every_row_its_command():
    rows = set(re.findall(r"^\| `amt (\w+)", README, re.MULTILINE))
    assert rows == COMMANDS


@pytest.mark.parametrize("line", re.findall(r"amt (?:\w+) [^|\n&`]*", README))
def test_options_that_are_shown_exist(line, capsys):
    command, *words = shlex.split(line.replace("…", ""))[1:]
    assert main([command, "--help"]) == 0
    known = capsys.readouterr().out
    for option in (word for word in words if word.startswith("-") and word != "-"):
        assert option in known, option


def test_every_exit_code_is_told():
    for code in set(EXIT_CODES.values()):
        assert re.search(rf"\b{code} [a-zA-Z]", README), code


def test_every_file_of_the_tree_exists():
    tree = README.split("## The house")[1].split("```")[1]
    for line in tree.strip().splitlines():
        inside = line.startswith("  ")
        for name in re.findall(r"[\w./]+", line.strip().split("   ")[0]) if inside else [line.split()[0]]:
            assert (ROOT / "amt_ray" / name if inside else ROOT / name).exists(), name
    for target in re.findall(r"\]\((\S+)\)", README):
        assert (ROOT / target).exists(), target
