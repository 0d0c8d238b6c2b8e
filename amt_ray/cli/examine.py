"""`amt examine`: what a trained model has learnt of what it is told."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from amt_ray.console import Display

if TYPE_CHECKING:
    from amt_ray.training.examine import Answer, Examination
    from amt_ray.training.validation import Score


def examine(
    workspace: Annotated[str, typer.Argument(help="Folder that `amt prepare` has filled.")],
    bundle: Annotated[str | None, typer.Option(help="The model; WORKSPACE/model by default.")] = None,
    windows: Annotated[int, typer.Option(min=2, help="Most validation windows to ask, drawn at random.")] = 200,
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="cpu or cuda.")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object instead of tables.")] = False,
) -> None:
    """Show how well a model predicts unseen music, and which controls it listens to."""
    from amt_ray.pipelines.examine import examine_model

    display = Display()
    with display.progress() as progress:
        report = examine_model(workspace, bundle, windows, device, progress)
    if as_json:
        sys.stdout.write(json.dumps(_as_object(report)) + "\n")
    else:
        _show(display, report)


def _as_object(report: Examination) -> dict[str, Any]:
    """Return what `--json` prints; losses are nats per event."""
    return {
        "windows": report.n_windows,
        "events": report.model.n_events,
        "notes": report.model.n_notes,
        **{name: {"loss": score.loss, "bits_per_note": score.bits_per_note} for name, score in _scores(report).items()},
        "controls": {answer.name: _numbers(answer) for answer in report.answers},
    }


def _numbers(answer: Answer) -> dict[str, float | None]:
    losses = answer.losses
    return {
        "windows": answer.n_windows,
        "true": losses and losses.true,
        "shuffled": losses and losses.shuffled,
        "without": losses and losses.without,
        "shuffled_minus_true": losses and losses.shuffled_margin,
        "without_minus_true": losses and losses.without_margin,
    }


def _scores(report: Examination) -> dict[str, Score]:
    from amt_ray.training.examine import N_GRAM

    return {"model": report.model, f"{N_GRAM}-gram": report.ngram, "unigram": report.unigram}


def _show(display: Display, report: Examination) -> None:
    of = f"{report.n_windows:,} validation windows, {report.model.n_events:,} events, {report.model.n_notes:,} notes"
    scores = _table(f"Prediction of {of}", "", "nats per event", "bits per note")
    for name, score in _scores(report).items():
        scores.add_row(name, f"{score.loss:.3f}", f"{score.bits_per_note:.2f}")
    display.out.print(scores)
    effects = _table(
        "Nats per event: control true, of another window (shuffled), left out",
        *("control", "windows", "true", "shuffled", "without", "shuffled - true"),
    )
    for answer in report.answers:
        losses = answer.losses
        shown = (*(f"{loss:.3f}" for loss in losses), f"{losses.shuffled_margin:+.4f}") if losses else ("-",) * 4
        effects.add_row(answer.name, f"{answer.n_windows:,}", *shown)
    display.out.print(effects)


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="", box=None, padding=(0, 1))
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table
