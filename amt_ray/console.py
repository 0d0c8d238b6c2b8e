"""What a person sees in a terminal: progress, tables, errors. Bars where there is a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from amt_ray.training.progress import Notices, step_line

LOG_INTERVAL_S = 5.0


class Display:
    """Standard output for results, standard error for progress and errors."""

    def __init__(self) -> None:
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a line of results, as it stands."""
        self.out.print(text, markup=False)

    def fail(self, text: str) -> None:
        """Print an error, as it stands."""
        self.err.print(f"error: {text}", style="red", markup=False)

    def table(self, title: str, rows: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Print rows of name and value."""
        table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 2))
        table.add_column()
        table.add_column(overflow="fold")
        for name, value in rows.items() if isinstance(rows, Mapping) else rows:
            table.add_row(escape(name), escape(str(value)))
        self.out.print(table)

    @contextmanager
    def progress(self) -> Iterator[ShowProgress]:
        """Show the progress that the pipelines report while the block lasts."""
        if not self.err.is_terminal:
            yield ShowProgress(_Log(self.say_progress), self.say_progress)
            return
        bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self.err,
        )
        with bars:
            yield ShowProgress(_Bars(bars), self.say_progress)

    def say_progress(self, text: str) -> None:
        """Print a line of progress."""
        self.err.print(text, markup=False)


class ShowProgress:
    """A `Progress` of the pipelines, and the metrics of a training as one more."""

    def __init__(self, show: Callable[[str, int, int, float, str], None], say: Callable[[str], None]) -> None:
        self._show, self._say, self._notices = show, say, Notices()
        self._began_s: dict[str, float] = {}
        self._last_done: dict[str, int] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` are done, with the rate since the first was reported."""
        now_s = time.monotonic()
        if what not in self._began_s or done < self._last_done[what]:
            self._began_s[what] = now_s
        self._last_done[what] = done
        elapsed_s = now_s - self._began_s[what]
        rate = done / elapsed_s if elapsed_s > 0 else 0.0
        self._show(what, done, total, elapsed_s, f"{rate:,.0f}/s" if done else "")

    def record(self, record: Mapping[str, Any]) -> None:
        """Show a step of training, and what is worth a line of its own."""
        self._show("steps", record["step"], record["steps"], record["seconds"], step_line(record))
        for notice in self._notices.of(record):
            self._say(notice)


class _Bars:
    """One bar for each kind of thing that is counted."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int, elapsed_s: float, text: str) -> None:
        if what not in self.tasks:
            self.tasks[what] = self.bars.add_task(what, total=total, rate="")
        self.bars.update(self.tasks[what], completed=done, total=total, rate=text)


class _Log:
    """A line at most every few seconds, and always one at the end."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.last_s: dict[str, float] = {}
        self.finished: set[str] = set()

    def __call__(self, what: str, done: int, total: int, elapsed_s: float, text: str) -> None:
        if what in self.finished or (done < total and elapsed_s - self.last_s.get(what, 0.0) < LOG_INTERVAL_S):
            return
        self.last_s[what] = elapsed_s
        if done == total:
            self.finished.add(what)
        left_s = elapsed_s * (total - done) / done if done else 0.0
        share = f"{done / total:.0%}" if total else "all"
        left = f", about {left_s:.0f} s left" if 0 < done < total else f", {elapsed_s:.0f} s" if done else ""
        self.say(f"{what}: {done:,} of {total:,} ({share}{left})  {text}".rstrip())
