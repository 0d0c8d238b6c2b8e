"""What every job does: find the package, run one command of `amt`, exit with its code."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn


def run(command: str) -> NoReturn:
    """Run `amt COMMAND` with this process's arguments."""
    if find_spec("amt_ray") is None:
        # Not installed, so it is the checkout (or the job's working_dir) around this file; Ray's workers read PYTHONPATH.
        root = str(Path(__file__).resolve().parents[1])
        sys.path.insert(0, root)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    from amt_ray.cli.main import main

    raise SystemExit(main([command, *sys.argv[1:]]))
