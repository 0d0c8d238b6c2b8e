"""An engraved score, as `music21` parses it, to a `Piece`: what is written on the page to what is heard.

Repeats and endings are played out, tied notes become one note, transposing instruments sound at pitch, a pick-up ends on
a bar line, and dynamics become velocities. Grace notes, ornaments, chord symbols and unpitched percussion are left out.
Times on the page are (bar, quarter notes from the bar's beginning); in a `Piece` they are ticks. Parts of one score are
held together bar by bar: small errors of rhythm in one part never shift the rest of it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from amt_ray.errors import InvalidPiece
from amt_ray.midi.keys import estimate_key, key_of_signature, signature_of_key
from amt_ray.midi.piece import Notes, Piece
from amt_ray.midi.repeats import BarSigns, played_order

TICKS_PER_QUARTER = 480
PLAIN_VELOCITY = 80
RETURNS = {"DaCapo", "DaCapoAlFine", "DalSegno", "DalSegnoAlFine"}
AL_FINE = re.compile(r"\b(d\. ?c|d\. ?s|da capo|dal segno)\b.*fine", re.IGNORECASE | re.DOTALL)
VELOCITY_OF_DYNAMIC = {
    "pppp": 24, "ppp": 32, "pp": 44, "p": 56, "mp": 68, "mf": 80, "f": 96, "ff": 108, "fff": 118, "ffff": 124,
    "fp": 56, "sfp": 56,
}  # fmt: skip
"""The level that holds after a mark; accents on one note (sf, fz, rf) change no level and are left out."""


class _Note(NamedTuple):
    onset_ticks: int
    duration_ticks: int
    pitch: int
    velocity: int
    is_tied_back: bool
    is_tied_on: bool


@dataclass(frozen=True)
class _Performance:
    """Bars in the order of playing: which written bar each is, and the tick at which it begins."""

    written: list[int]
    start_ticks: list[int]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.written, self.start_ticks, strict=True)


def piece_of_score(score: Any, programs: Sequence[int], bpm: float | None = None) -> Piece:
    """Read a `music21.stream.Score` with measures; part i sounds with `programs[i]`, further parts with the last.

    `bpm` (quarter notes a minute) holds throughout; without it, the score's metronome marks do. Raises `InvalidPiece`
    with reason `unreadable` for a score without bars and `no_notes` for one without notes.
    """
    bars = [list(part.getElementsByClass("Measure")) for part in score.parts]
    if not bars or not bars[0]:
        raise InvalidPiece("unreadable", "the score has no bars")
    metres = _metres(bars[0])
    performance = _performance(score.parts[0], bars, metres)
    notes = _notes(score, bars, performance, programs)
    tempo_ticks, tempo_bpm = _tempo_map(bars, performance) if bpm is None else ([0], [bpm])
    metre_ticks, metre_values = _metre_map(metres, performance)
    return Piece(
        TICKS_PER_QUARTER,
        notes,
        np.array(tempo_ticks, np.int64),
        np.array(tempo_bpm, np.float64),
        np.array(metre_ticks, np.int64),
        np.array([numerator for numerator, _ in metre_values], np.int64),
        np.array([denominator for _, denominator in metre_values], np.int64),
        _key(bars[0], notes),
    )


def _ticks(quarters: Any) -> int:
    ticks: int = round(quarters * TICKS_PER_QUARTER)
    return ticks


def _metres(bars: list[Any]) -> list[tuple[int, int]]:
    metres, metre = [], (4, 4)
    for bar in bars:
        signature = bar.timeSignature
        metre = (signature.numerator, signature.denominator) if signature else metre
        metres.append(metre)
    return metres


def _performance(first_part: Any, bars: list[list[Any]], metres: list[tuple[int, int]]) -> _Performance:
    full_ticks = [_ticks(4 * numerator / denominator) for numerator, denominator in metres]
    lengths = [_bar_ticks([part[i] for part in bars if i < len(part)], full) for i, full in enumerate(full_ticks)]
    written = _order(first_part, bars[0])
    pick_up_ticks = max(full_ticks[written[0]] - lengths[written[0]], 0)
    starts = np.cumsum([pick_up_ticks, *(lengths[i] for i in written)])[:-1]
    return _Performance(written, [int(start) for start in starts])


def _bar_ticks(bar_in_each_part: list[Any], full_ticks: int) -> int:
    # An engraver's slip makes one part's bar too long or too short; the others, or the metre, say how long it is.
    lengths = [_ticks(bar.highestTime) for bar in bar_in_each_part]
    return full_ticks if full_ticks in lengths else max(Counter(lengths).most_common(1)[0][0], 1)


def _signs(bar: Any, endings: frozenset[int]) -> BarSigns:
    directions = [getattr(line, "direction", None) for line in (bar.leftBarline, bar.rightBarline)]
    names = {name for mark in bar.getElementsByClass("RepeatExpression") for name in mark.classes}
    words = " ".join(text.content or "" for text in bar.getElementsByClass("TextExpression"))
    return BarSigns(
        begins_repeat="start" in directions,
        ends_repeat="end" in directions,
        endings=endings,
        is_segno="Segno" in names,
        is_fine="Fine" in names,
        returns=bool(names & RETURNS or AL_FINE.search(words)),
    )


def _order(part: Any, bars: list[Any]) -> list[int]:
    """Indices of the bars in the order of playing."""
    index_of = {id(bar): i for i, bar in enumerate(bars)}
    endings = [frozenset[int]()] * len(bars)
    for bracket in part.recurse().getElementsByClass("RepeatBracket"):
        # A bracket knows its first bar and its last, and not those between.
        spanned = [index_of[id(bar)] for bar in bracket.getSpannedElements() if id(bar) in index_of]
        for i in range(min(spanned, default=0), max(spanned, default=-1) + 1):
            endings[i] = frozenset(max(number, 1) for number in bracket.numberRange)
    return played_order([_signs(bar, numbers) for bar, numbers in zip(bars, endings, strict=True)])


def _notes(score: Any, bars: list[list[Any]], performance: _Performance, programs: Sequence[int]) -> Notes:
    rows: list[tuple[int, int, int, int, int]] = []
    levels: list[tuple[int, float, int]] = []
    for number, (part, part_bars) in enumerate(zip(score.parts, bars, strict=True)):
        program = programs[min(number, len(programs) - 1)]
        # A staff without dynamics, such as a pianist's left hand, follows the staff above.
        levels = _levels(part_bars) or levels
        written = [_written_notes(bar, i, levels, _semitones(part)) for i, bar in enumerate(part_bars)]
        heard = _joined(
            n._replace(onset_ticks=start + n.onset_ticks) for i, start in performance if i < len(written) for n in written[i]
        )
        rows += [(n.onset_ticks, n.duration_ticks, n.pitch, n.velocity, program) for n in heard]
    if not rows:
        raise InvalidPiece("no_notes", "the score holds no pitched notes")
    onset, duration, pitch, velocity, program_of = np.array(rows, np.int64).T
    order = np.lexsort((-duration, pitch, program_of, onset))
    heard_apart = np.diff(np.stack([onset, program_of, pitch])[:, order], axis=1).any(axis=0)
    # Two violins in unison are one note of one program: the longer stays.
    return Notes(onset, duration, pitch, velocity, program_of).take(order[np.concatenate([[True], heard_apart])])


def _semitones(part: Any) -> int:
    """What a transposing instrument sounds above what is written."""
    instrument = part.getElementsByClass("Instrument").first()
    return int(instrument.transposition.semitones) if instrument and instrument.transposition else 0


def _levels(bars: list[Any]) -> list[tuple[int, float, int]]:
    marks = ((i, float(mark.offset), mark.value) for i, bar in enumerate(bars) for mark in bar.getElementsByClass("Dynamic"))
    return sorted((i, offset, VELOCITY_OF_DYNAMIC[value]) for i, offset, value in marks if value in VELOCITY_OF_DYNAMIC)


def _written_notes(bar: Any, index: int, levels: list[tuple[int, float, int]], semitones: int) -> list[_Note]:
    notes = []
    for voice in (bar, *bar.voices):
        shift = 0 if voice is bar else voice.offset
        for element in voice.notes:
            if element.duration.isGrace or not (element.isNote or element.isChord) or "Harmony" in element.classes:
                continue
            at = shift + element.offset
            level = bisect_right(levels, (index, float(at), 128)) - 1
            velocity = levels[level][2] if level >= 0 else PLAIN_VELOCITY
            onset_ticks, end_ticks = _ticks(at), _ticks(at + element.quarterLength)
            for head in element.notes if element.isChord else (element,):
                tie = head.tie.type if head.tie else ""
                back, on = tie in {"stop", "continue"}, tie in {"start", "continue"}
                pitch = head.pitch.midi + semitones
                if 0 <= pitch <= 127:
                    notes.append(_Note(onset_ticks, max(end_ticks - onset_ticks, 1), pitch, velocity, back, on))
    return notes


def _joined(notes: Iterator[_Note]) -> list[_Note]:
    """Tied notes of one pitch, end to beginning, as one note."""
    joined: list[_Note] = []
    open_at: dict[int, int] = {}
    for n in sorted(notes):
        begun = open_at.pop(n.pitch, None)
        index = len(joined)
        if begun is not None and n.is_tied_back and _end(joined[begun]) == n.onset_ticks:
            index = begun
            joined[begun] = joined[begun]._replace(duration_ticks=_end(n) - joined[begun].onset_ticks)
        else:
            joined.append(n)
        if n.is_tied_on:
            open_at[n.pitch] = index
    return joined


def _end(n: _Note) -> int:
    return n.onset_ticks + n.duration_ticks


def _tempo_map(bars: list[list[Any]], performance: _Performance) -> tuple[list[int], list[float]]:
    bpm_at = {0: 120.0}
    for i, start in performance:
        marks = next((marks for part in bars if i < len(part) and (marks := _marks(part[i]))), [])
        # The mark over the first note holds from tick 0, before the pick-up too.
        bpm_at |= {start + ticks if start + ticks > performance.start_ticks[0] else 0: bpm for ticks, bpm in marks}
    return _changes(sorted(bpm_at.items()))


def _changes(events: list[tuple[int, Any]]) -> tuple[list[int], list[Any]]:
    """Ticks and values of the events that say something new."""
    kept = [event for i, event in enumerate(events) if i == 0 or event[1] != events[i - 1][1]]
    return [tick for tick, _ in kept], [value for _, value in kept]


def _marks(bar: Any) -> list[tuple[int, float]]:
    marks = ((_ticks(m.offset), m.getQuarterBPM(useNumberSounding=True)) for m in bar.getElementsByClass("MetronomeMark"))
    return [(ticks, float(bpm)) for ticks, bpm in marks if bpm]


def _metre_map(metres: list[tuple[int, int]], performance: _Performance) -> tuple[list[int], list[tuple[int, int]]]:
    ticks, values = _changes([(start, metres[i]) for i, start in performance])
    return [0, *ticks[1:]], values


def _key(bars: list[Any], notes: Notes) -> str | None:
    """The key that the first signature stands for: minor where the page says so, else what the notes agree on."""
    signature = next((bar.keySignature for bar in bars if bar.keySignature is not None), None)
    if signature is None or abs(signature.sharps) > 7:
        return None
    mode = getattr(signature, "mode", None)
    if mode == "minor":
        return key_of_signature(signature.sharps, is_minor=True)
    # Notation programs write "major" under any signature when nobody chose a mode, so the notes have the first word.
    estimate, _ = estimate_key(notes.pitch, notes.duration_ticks)
    if estimate is not None and (signature_of_key(estimate)[0] - signature.sharps) % 12 == 0:
        return estimate
    return key_of_signature(signature.sharps, is_minor=False) if mode == "major" else None
