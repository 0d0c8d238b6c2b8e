"""The house's plan, checked: one-way imports between rooms, Ray in its rooms only, small files, imports that do nothing.

Every checker is tried on planted violations too, so that none of them can pass by finding nothing.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
ROOMS = (
    "errors", "schemas", "config", "artifacts", "midi", "wiki", "text", "styles", "events", "model", "training",
    "generation", "evaluation", "media", "pipelines", "serving", "console", "cli", "__main__",
)  # fmt: skip
"""From the ground up: a room may import only rooms before it."""
RAY_ROOMS = ("pipelines", "serving", "jobs")
LIGHT_ROOMS = ROOMS[: ROOMS.index("model")]
HEAVY = {"ray", "torch", "transformers", "sentence_transformers", "matplotlib", "music21", "accelerate"}
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 50
VAGUE_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers"}


def source_files() -> list[str]:
    """Paths of all files of the package, the jobs and the benchmarks, relative to the repository."""
    folders = ("amt_ray", "jobs", "benchmarks")
    return [
        path.relative_to(REPOSITORY).as_posix() for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.py"))
    ]


def room_of(path: str) -> str:
    """The room that a file is in: its module or folder below `amt_ray`, else its top folder."""
    parts = Path(path).with_suffix("").parts
    return parts[1] if parts[0] == "amt_ray" else parts[0]


def imported_names(tree: ast.AST, path: str) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything that is imported, in functions too; relative imports are resolved."""
    package = Path(path).parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def order_violations(source: str, path: str) -> list[str]:
    """Imports of a room that stands at or above the file's own."""
    here = room_of(path)
    if path.startswith("amt_ray/") and here not in (*ROOMS, "__init__"):
        return [f"{path}: {here} is not a room"]
    rank = ROOMS.index(here) if here in ROOMS else (-1 if here == "__init__" else len(ROOMS))
    tree = ast.parse(source)
    if here == "__init__":  # what it imports when it is asked for a name is not imported with it
        tree.body = [node for node in tree.body if isinstance(node, IMPORTS)]
    found = []
    for line, name in imported_names(tree, path):
        parts = name.split(".")
        if (
            parts[0] == "amt_ray"
            and parts[1] not in (here, "__version__")
            and (parts[1] not in ROOMS or ROOMS.index(parts[1]) > rank)
        ):
            found.append(f"{path}:{line}: {here} imports {parts[1]}")
    return found


def ray_violations(source: str, path: str) -> list[str]:
    """Imports of `ray` outside of its rooms."""
    if room_of(path) in RAY_ROOMS:
        return []
    lines = [line for line, name in imported_names(ast.parse(source), path) if name.split(".")[0] == "ray"]
    return [f"{path}:{line}: {room_of(path)} imports ray" for line in lines]


def size_violations(source: str, path: str) -> list[str]:
    """Files and functions that are too long."""
    n_lines = len(source.splitlines())
    found = [f"{path}: {n_lines} lines"] if n_lines > MAX_FILE_LINES else []
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = [(node.lineno, node.name, node.end_lineno - node.lineno + 1) for node in functions]
    return found + [f"{path}:{line}: {name} has {n} lines" for line, name, n in lengths if n > MAX_FUNCTION_LINES]


def name_violations(source: str, path: str) -> list[str]:
    """Modules and folders whose name says nothing."""
    return [f"{path}: {part}" for part in Path(path).with_suffix("").parts if part in VAGUE_NAMES]


IMPORTS = (ast.Import, ast.ImportFrom)
CHECKERS = (order_violations, ray_violations, size_violations, name_violations)


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_house_keeps_its_plan(checker):
    files = source_files()
    assert "amt_ray/events/encode.py" in files
    assert [found for path in files for found in checker((REPOSITORY / path).read_text(encoding="utf-8"), path)] == []


LONG_FUNCTION = "def f():\n" + "    pass\n" * 50


@pytest.mark.parametrize(
    ("checker", "path", "source", "n_found"),
    [
        (order_violations, "amt_ray/midi/parse.py", "from amt_ray.events.encode import encode", 1),
        (order_violations, "amt_ray/midi/parse.py", "def f():\n    import amt_ray.cli", 1),
        (order_violations, "amt_ray/midi/parse.py", "from amt_ray import errors, cli", 1),
        (order_violations, "amt_ray/midi/parse.py", "from ..events import encode", 1),
        (order_violations, "amt_ray/midi/parse.py", "from .. import events", 1),
        (
            order_violations,
            "amt_ray/midi/parse.py",
            "from . import piece\nfrom .piece import Piece\nfrom ..errors import AmtError",
            0,
        ),
        (
            order_violations,
            "amt_ray/events/encode.py",
            "from amt_ray.midi.piece import Piece\nimport amt_ray.events.bars",
            0,
        ),
        (order_violations, "amt_ray/events/encode.py", "from amt_ray.utils import x", 1),
        (order_violations, "amt_ray/errors.py", "from amt_ray.schemas import x", 1),
        (order_violations, "amt_ray/__init__.py", "from amt_ray.errors import AmtError", 1),
        (order_violations, "amt_ray/__init__.py", "def __getattr__(name):\n    from amt_ray.cli import main", 0),
        (order_violations, "amt_ray/cellar/wine.py", "", 1),
        (order_violations, "jobs/train.py", "from amt_ray.cli import main", 0),
        (ray_violations, "amt_ray/training/loop.py", "import ray", 1),
        (ray_violations, "amt_ray/training/loop.py", "def f():\n    from ray.train import report", 1),
        (ray_violations, "amt_ray/training/loop.py", "import rayon\nfrom amt_ray import errors", 0),
        (ray_violations, "amt_ray/cli.py", "import ray.data as data", 1),
        (ray_violations, "amt_ray/pipelines/train.py", "import ray", 0),
        (ray_violations, "jobs/train.py", "import ray", 0),
        (size_violations, "amt_ray/cli.py", "x = 1\n" * 401, 1),
        (size_violations, "amt_ray/cli.py", "x = 1\n" * 400, 0),
        (size_violations, "amt_ray/cli.py", LONG_FUNCTION, 1),
        (size_violations, "amt_ray/cli.py", f"async {LONG_FUNCTION}", 1),
        (size_violations, "amt_ray/cli.py", LONG_FUNCTION.removesuffix("    pass\n"), 0),
        (name_violations, "amt_ray/midi/utils.py", "", 1),
        (name_violations, "amt_ray/helpers/midi.py", "", 1),
        (name_violations, "amt_ray/midi/manager.py", "", 1),
        (name_violations, "amt_ray/midi/piece.py", "", 0),
    ],
)
def test_a_planted_violation_is_found(checker, path, source, n_found):
    assert len(checker(source, path)) == n_found


WATCHED_IMPORTS = """
import importlib, json, logging, os, pkgutil, sys, threading
root, third_party = sys.argv[1], json.loads(sys.argv[2])
sys.path.insert(0, root)
for statement in third_party:
    exec(statement)
done = []

def watch(event, args):
    if event == "open":
        path, mode, flags = args
        if set(mode or "") & set("wax+") or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            done.append(f"open {path} to write")
    elif event.startswith("socket.") or event in ("os.mkdir", "os.remove", "os.rename", "subprocess.Popen", "os.system"):
        done.append(" ".join([event, *map(str, args[:1])]))

def surroundings():
    loggers = [logging.root, *(l for l in logging.root.manager.loggerDict.values() if isinstance(l, logging.Logger))]
    return {
        "logger handlers": sum(len(logger.handlers) for logger in loggers),
        "environment": dict(os.environ),
        "working folder": os.getcwd(),
        "threads": threading.active_count(),
        "torch device": "torch" in sys.modules and sys.modules["torch"].cuda.is_initialized(),
    }

before = surroundings()
sys.addaudithook(watch)
modules = [m.name for m in pkgutil.walk_packages([f"{root}/amt_ray"], "amt_ray.") if not m.name.endswith("__main__")]
for name in modules:
    importlib.import_module(name)
after = surroundings()
done += [f"{name} changed" for name in before if before[name] != after[name]]
print(json.dumps({"modules": modules, "done": done, "loaded": sorted({name.split(".")[0] for name in sys.modules})}))
"""


def third_party_imports(root: Path) -> list[str]:
    """Statements at modules' tops that import foreign modules: what those do when imported is their affair."""
    ours = {"amt_ray", "__future__", *sys.stdlib_module_names}
    found = set()
    for path in root.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [*imported_names(ast.Module([node], []), "amt_ray/__init__.py")] if isinstance(node, IMPORTS) else []
            if any(name.split(".")[0] not in ours for _, name in names):
                found.add(ast.unparse(node))
    return sorted(found)


def watched_imports(root: Path, third_party: list[str]) -> dict[str, list[str]]:
    """Import every module of `root/amt_ray` in a process of its own; return the modules, what they did, what was loaded."""
    command = [sys.executable, "-B", "-W", "ignore", "-c", WATCHED_IMPORTS, str(root), json.dumps(third_party)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, cwd=root)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


def copy_rooms(rooms: tuple[str, ...], to: Path) -> None:
    """Copy some rooms of the package to `to/amt_ray`."""
    for path in (REPOSITORY / "amt_ray").rglob("*"):
        relative = path.relative_to(REPOSITORY)
        if path.is_file() and "__pycache__" not in path.parts and room_of(relative.as_posix()) in (*rooms, "__init__"):
            (to / relative).parent.mkdir(parents=True, exist_ok=True)
            (to / relative).write_bytes(path.read_bytes())


def test_importing_any_module_does_nothing():
    seen = watched_imports(REPOSITORY, third_party_imports(REPOSITORY / "amt_ray"))
    assert {"amt_ray.errors", "amt_ray.events.encode", "amt_ray.midi.parse"} <= set(seen["modules"])
    assert seen["done"] == []


def test_the_rooms_below_the_model_load_nothing_heavy(tmp_path):
    copy_rooms(LIGHT_ROOMS, tmp_path)
    seen = watched_imports(tmp_path, [])
    assert {"amt_ray.events.encode", "amt_ray.midi.parse"} <= set(seen["modules"])
    assert HEAVY & set(seen["loaded"]) == set()


@pytest.mark.parametrize(
    ("source", "done"),
    [
        ("open('made.txt', 'w').close()", ["open made.txt to write"]),
        ("import os\nos.close(os.open('made.txt', os.O_CREAT | os.O_RDWR))", ["open made.txt to write"]),
        ("from pathlib import Path\nPath('made').mkdir()", ["os.mkdir made"]),
        ("import logging\nlogging.getLogger('amt_ray').addHandler(logging.NullHandler())", ["logger handlers changed"]),
        ("import os\nos.environ['X_MADE'] = '1'", ["environment changed"]),
        ("import socket\nsocket.gethostname()", ["socket.gethostname"]),
        ("import amt_ray.errors\nopen(amt_ray.errors.__file__).close()", []),
    ],
)
def test_a_module_that_does_something_is_found(tmp_path, source, done):
    copy_rooms(("errors",), tmp_path)
    (tmp_path / "amt_ray" / "midi.py").write_text(source, encoding="utf-8")
    found = watched_imports(tmp_path, [])["done"]
    assert [entry[: len(wanted)] for entry, wanted in zip(found, done, strict=True)] == done


def test_a_heavy_import_is_found(tmp_path):
    copy_rooms(("errors",), tmp_path)
    (tmp_path / "music21").mkdir()
    (tmp_path / "music21" / "__init__.py").touch()
    (tmp_path / "amt_ray" / "midi.py").write_text("import music21", encoding="utf-8")
    assert HEAVY & set(watched_imports(tmp_path, [])["loaded"]) == {"music21"}
