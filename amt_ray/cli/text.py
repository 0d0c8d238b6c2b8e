"""`amt analyse`: what a text says about music."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amt_ray.console import Display

if TYPE_CHECKING:
    from amt_ray.text.analysis import Evidence, Label, Mention, TextAnalysis

_NAMES = {
    "tempo_bpm": "Tempo, BPM",
    "tempo_range_bpm": "Tempo, BPM",
    "key": "Key",
    "time_signature": "Metre",
    "bars": "Bars",
    "duration_s": "Length, s",
    "polyphony": "Texture",
    "chords": "Chords",
}


def analyse(
    text: Annotated[str | None, typer.Argument(help="A description of music.")] = None,
    input: Annotated[  # noqa: A002
        Path | None, typer.Option("--input", "-i", exists=True, dir_okay=False, help='JSON lines of {"id", "text"}.')
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line for each text instead of a table.")] = False,
) -> None:
    """Show what a text says about music, and where it says so."""
    from amt_ray.text.analyse import analyse
    from amt_ray.text.rows import analysed_lines, analysis_row

    if (text is None) == (input is None):
        raise typer.BadParameter("give a text, or a file of texts with --input")
    if input is not None:
        if not as_json:
            raise typer.BadParameter("--input writes JSON lines: say --json")
        with input.open(encoding="utf-8", errors="replace") as lines:
            for line in analysed_lines(lines, str(input)):
                sys.stdout.write(f"{line}\n")
        return
    analysis = analyse(text or "")
    if as_json:
        sys.stdout.write(json.dumps(analysis_row("", analysis), ensure_ascii=False) + "\n")
    else:
        _show(Display(), text or "", analysis)


def _show(display: Display, text: str, analysis: TextAnalysis) -> None:
    display.table(
        "Text",
        {
            "Cleaned": analysis.cleaned or "-",
            "Characters": f"{analysis.n_chars_before} before, {analysis.n_chars_after} after",
            "Keywords": ", ".join(analysis.keywords) or "-",
        },
    )
    rows = [*_labels(text, analysis), *_values(text, analysis)]
    if analysis.instruments_exclusive:
        rows.append(("Other instruments", "none wanted"))
    display.table("Music", rows or [("Nothing", "the text says nothing about music")])


def _labels(text: str, analysis: TextAnalysis) -> Iterator[tuple[str, str]]:
    kinds: dict[str, Sequence[Label | Mention]] = {
        "Mood": analysis.moods,
        "Genre": analysis.genres,
        "Instrument": analysis.instruments,
        "Not wanted": analysis.excluded_instruments,
    }
    for kind, labels in kinds.items():
        for label in labels:
            yield kind, _with_evidence(label.name, label, text)


def _values(text: str, analysis: TextAnalysis) -> Iterator[tuple[str, str]]:
    for field, evidence in analysis.evidence.items():
        value = getattr(analysis, field)
        parts = value if isinstance(value, tuple) else (value,)
        shown = (" " if field == "chords" else "-").join(
            f"{part:g}" if isinstance(part, float) else str(part) for part in parts
        )
        yield _NAMES[field], _with_evidence(shown, evidence, text)


def _with_evidence(shown: str, found: Label | Mention | Evidence, text: str) -> str:
    return f'{shown} ({found.confidence:.2f}, "{text[slice(*found.span)]}")'
