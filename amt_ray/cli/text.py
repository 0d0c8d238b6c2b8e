"""`amt analyse`: what a text says about music."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amt_ray.console import Display

if TYPE_CHECKING:
    from amt_ray.artifacts import Workspace
    from amt_ray.text.analysis import Evidence, Label, Mention, TextAnalysis
    from amt_ray.text.reader import Reader, Reading

DEMO_WORKSPACE = "demo/workspace"
_LONGEST_QUOTE = 60
_NAMES = {
    "tempo_bpm": "Tempo, BPM",
    "tempo_range_bpm": "Tempo, BPM",
    "key": "Key",
    "mode": "Mode",
    "time_signature": "Metre",
    "bars": "Bars",
    "duration_s": "Length, s",
    "polyphony": "Texture",
    "chords": "Chords",
    "density": "Density",
}


def analyse(
    text: Annotated[str | None, typer.Argument(help="A description of music.")] = None,
    input: Annotated[  # noqa: A002
        Path | None, typer.Option("--input", "-i", exists=True, dir_okay=False, help='JSON lines of {"id", "text"}.')
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line for each text instead of a table.")] = False,
    workspace: Annotated[
        str | None, typer.Option(help=f"Compare the text with its captions; {DEMO_WORKSPACE} by default, if it is there.")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Sentence encoder; by default the workspace's, or all-MiniLM-L6-v2 if installed.")
    ] = None,
    words_only: Annotated[bool, typer.Option("--words-only", help="Read the words alone, without an encoder.")] = False,
) -> None:
    """Show what a text says about music, and where it says so."""
    if (text is None) == (input is None):
        raise typer.BadParameter("give a text, or a file of texts with --input")
    if input is not None and not as_json:
        raise typer.BadParameter("--input writes JSON lines: say --json")
    if words_only and (encoder or workspace):
        raise typer.BadParameter("--words-only uses no encoder: leave out --encoder and --workspace")
    from amt_ray.text.rows import analysis_line

    display = Display()
    place = None if words_only else _workspace(workspace)
    reader = _reader(display, place, encoder, words_only)
    if input is not None:
        _write_lines(display, input, reader)
        return
    (reading,) = reader.read([text or ""])
    if as_json:
        sys.stdout.write(analysis_line("", reading.analysis) + "\n")
    else:
        _show(display, text or "", reading, place)


def _workspace(named: str | None) -> Workspace | None:
    """The workspace that was named, or the demo's if that has embeddings."""
    from amt_ray.artifacts import Workspace

    place = Workspace(named or DEMO_WORKSPACE)
    if named is not None:
        place.need("embeddings")
    return place if place.manifest("embeddings") is not None else None


def _reader(display: Display, place: Workspace | None, encoder: str | None, words_only: bool) -> Reader:
    """A reader with the encoder that was named, or the workspace's, or the default; if that is missing, without one."""
    from amt_ray.errors import EncoderError
    from amt_ray.text.embed import DEFAULT_ENCODER, TextEncoder, need_embeddings
    from amt_ray.text.reader import Reader

    if words_only:
        return Reader()
    named = encoder or (place.need("embeddings").facts["encoder"] if place else None)
    try:
        loaded = TextEncoder(named or DEFAULT_ENCODER)
    except EncoderError as exc:
        if named:
            raise
        display.say_progress(f"words alone are read: {exc}")
        return Reader()
    if place:
        need_embeddings(place, loaded.source.name, loaded.fingerprint)
    return Reader(loaded)


def _write_lines(display: Display, path: Path, reader: Reader) -> None:
    from amt_ray.text.rows import analysed_lines

    def read(texts: Sequence[str]) -> list[TextAnalysis]:
        return [reading.analysis for reading in reader.read(texts)]

    with path.open(encoding="utf-8", errors="replace") as file, display.progress() as progress:
        lines = [line for line in file if line.strip()]
        done = 0
        progress("texts", done, len(lines))
        for some in analysed_lines(lines, str(path), read):
            sys.stdout.writelines(f"{line}\n" for line in some)
            done += len(some)
            progress("texts", done, len(lines))


def _show(display: Display, text: str, reading: Reading, place: Workspace | None) -> None:
    analysis = reading.analysis
    removed = analysis.n_chars_before - analysis.n_chars_after
    rows = [
        ("Cleaned", analysis.cleaned or "-"),
        ("Characters", f"{analysis.n_chars_before} before, {analysis.n_chars_after} after, {removed} removed"),
        ("Keywords", ", ".join(analysis.keywords) or "-"),
        *_embedding(reading, place),
    ]
    display.table("Text", rows)
    music = [*_labels(text, analysis), *_values(text, analysis)]
    display.table("Music", music or [("Nothing", "the text says nothing about music")])
    if analysis.contradictions:
        display.table("Contradictions", [("•", sentence) for sentence in analysis.contradictions])


def _embedding(reading: Reading, place: Workspace | None) -> Iterator[tuple[str, str]]:
    """Rows on the embedding, and on how like it a workspace's captions are."""
    import numpy as np

    from amt_ray.pipelines.similarity import similarity

    if reading.vector_E is None:
        return
    yield "Embedding", f"shape {reading.vector_E.shape}, norm {np.linalg.norm(reading.vector_E):.3f}"
    found = similarity(place, reading.vector_E) if place else None
    if place is None or found is None:
        yield "Similarity", "to no training data: name a workspace with --workspace"
        return
    yield "Similarity", f"{found.nearest:.2f} to the nearest of {found.n_captions:,} captions of {place.root}"
    yield "", f'"{found.caption}"'
    yield "", f"{found.mean:.2f} on average"


def _labels(text: str, analysis: TextAnalysis) -> Iterator[tuple[str, str]]:
    from amt_ray.text.labels import MOODS

    for mood in analysis.moods:
        yield "Emotion" if mood.name in MOODS else "Theme", _with_evidence(mood.name, mood, text)
    if analysis.valence is not None:
        yield "Valence", f"{analysis.valence:+.2f} of -1 (unpleasant) to 1 (pleasant)"
        yield "Arousal", f"{analysis.arousal:+.2f} of -1 (sleepy) to 1 (excited)"
    kinds: dict[str, Sequence[Label | Mention]] = {
        "Genre": analysis.genres,
        "Instrument": analysis.instruments,
        "Not wanted": analysis.excluded_instruments,
        "Style hint": analysis.style_hints,
    }
    for kind, labels in kinds.items():
        yield from ((kind, _with_evidence(label.name, label, text)) for label in labels)
    if analysis.instruments_exclusive:
        yield "Instrument", "no others"


def _values(text: str, analysis: TextAnalysis) -> Iterator[tuple[str, str]]:
    for field, evidence in analysis.evidence.items():
        value = getattr(analysis, field)
        parts = value if isinstance(value, tuple) else (value,)
        shown = (" " if field == "chords" else "-").join(
            f"{part:g}" if isinstance(part, float) else str(part) for part in parts
        )
        yield _NAMES[field], _with_evidence(shown, evidence, text)


def _with_evidence(shown: str, found: Label | Mention | Evidence, text: str) -> str:
    quote = text[slice(*found.span)]
    is_whole = len(quote) > _LONGEST_QUOTE or (quote == text and len(text.split()) > 1 and found.confidence < 0.8)
    where = "the whole text" if is_whole else f'"{quote}"'
    return f"{shown} ({found.confidence:.2f}, {where})"
