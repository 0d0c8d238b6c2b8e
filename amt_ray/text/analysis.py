"""What is known of a text after reading it: labels with their confidence and the place in the text that says so.

Spans are (start, end) character offsets into the text. Confidences: 0.8 and more for what is stated, less for what is
implied (a waltz is in 3/4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

NAMED = 0.3
"""A text names a label whose words give it this confidence or more; with less, they bring it to mind."""


@dataclass(frozen=True)
class Label:
    """A label, how sure we are of it (0..1), and where the text says it.

    Genres are of the closed list `GENRES`; moods of `MOODS`, or themes such as "film"; style hints are any names.
    """

    name: str
    confidence: float
    span: tuple[int, int]


def surest(labels: Sequence[Label], allowed: Collection[str]) -> str | None:
    """Return the name of the surest label that is allowed and that its text names; None where there is none."""
    named = [label for label in labels if label.name in allowed and label.confidence >= NAMED]
    return max(named, key=lambda label: label.confidence).name if named else None


@dataclass(frozen=True)
class Mention:
    """An instrument in a text.

    `programs` are the General MIDI programs 0..127 (128 = drums) that would satisfy it, the one to play first; `name` is
    that program's name in `INSTRUMENTS`.
    """

    name: str
    programs: tuple[int, ...]
    confidence: float
    span: tuple[int, int]


@dataclass(frozen=True)
class Evidence:
    """How sure we are of a single value (0..1), and where the text says it."""

    confidence: float
    span: tuple[int, int]


@dataclass(frozen=True)
class TextAnalysis:
    """Everything that a text says about music; `dataclasses.asdict` gives plain JSON values.

    `evidence` has one entry, by field name, for each single value that is not None, and for the chords.
    """

    cleaned: str
    n_chars_before: int
    n_chars_after: int
    keywords: tuple[str, ...]
    moods: tuple[Label, ...] = ()
    """Most confident first, as genres are."""
    genres: tuple[Label, ...] = ()
    instruments: tuple[Mention, ...] = ()
    excluded_instruments: tuple[Mention, ...] = ()
    tempo_bpm: float | None = None
    """Quarter notes a minute."""
    tempo_range_bpm: tuple[float, float] | None = None
    key: str | None = None
    """Spelled as in `amt_ray.midi.keys.KEYS`, or a tonic with a church mode: `"A dorian"`."""
    mode: str | None = None
    """`"major"`, `"minor"` or a church mode, of the key or without one ("in a minor key")."""
    time_signature: str | None = None
    bars: int | None = None
    duration_s: tuple[float, float] | None = None
    polyphony: str | None = None
    """`"mono"`, `"homo"` or `"poly"`."""
    chords: tuple[str, ...] = ()
    """As they are written, in the text's order: `"Am"`, `"F#m7"`, or Roman numerals."""
    instruments_exclusive: bool = False
    """Whether no others are wanted: "only piano", "solo flute"."""
    density: str | None = None
    """`"sparse"` or `"dense"`."""
    valence: float | None = None
    """-1 (unpleasant) to 1 (pleasant), of the moods together; None where no mood is named."""
    arousal: float | None = None
    """-1 (sleepy) to 1 (excited)."""
    style_hints: tuple[Label, ...] = ()
    """Eras, composers, artists and subgenres that the text names, most confident first."""
    contradictions: tuple[str, ...] = ()
    """Sentences that each say which two statements of the text cannot both hold, and which one was taken."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
