"""Random pieces for the tests: arbitrary ones from hypothesis, and musical ones composed from a seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.keys import KEYS
from amt_ray.midi.piece import Notes, Piece

Row = tuple[int, int, int, int, int]
"""One note: onset, duration, pitch, velocity, program."""

TICKS_PER_QUARTER = (1, 12, 24, 96, 120, 192, 220, 384, 480, 960, 1024)
ODD_METRES = ((7, 4), (5, 8), (4, 2), (47, 32), (1, 16), (10, 8), (15, 16), (13, 4), (3, 16), (64, 1), (2, 64), (21, 8))
LISTED_METRES = ((4, 4), (3, 4), (2, 4), (6, 8), (9, 8), (12, 8), (2, 2), (5, 4), (7, 8), (3, 8), (1, 4), (3, 2))


def make_piece(
    rows: Sequence[Row],
    ticks_per_quarter: int = 12,
    tempi: Sequence[tuple[int, float]] = ((0, 120.0),),
    metres: Sequence[tuple[int, int, int]] = ((0, 4, 4),),
    key: str | None = None,
) -> Piece:
    """Make a piece from rows of notes, tempi (tick, bpm) and metres (tick, numerator, denominator), in any order."""
    columns = np.array(sorted(rows, key=lambda row: (row[0], row[4], row[2])), np.int64).reshape(-1, 5).T
    tempo = sorted({0: 120.0, **dict(tempi)}.items())
    metre = sorted({0: (4, 4), **{tick: (n, d) for tick, n, d in metres}}.items())
    return Piece(
        ticks_per_quarter=ticks_per_quarter,
        notes=Notes(*columns),
        tempo_ticks=np.array([tick for tick, _ in tempo], np.int64),
        tempo_bpm=np.array([bpm for _, bpm in tempo], np.float64),
        metre_ticks=np.array([tick for tick, _ in metre], np.int64),
        metre_numerator=np.array([n for _, (n, _) in metre], np.int64),
        metre_denominator=np.array([d for _, (_, d) in metre], np.int64),
        key=key,
    )


def rows_of(piece: Piece) -> list[Row]:
    """Return the notes as rows, in the piece's order."""
    notes = piece.notes
    columns = (notes.onset_ticks, notes.duration_ticks, notes.pitch, notes.velocity, notes.program)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def facts(piece: Piece) -> dict[str, object]:
    """Return everything that a piece holds as plain values: two pieces are the same when these are."""
    return {
        "ticks_per_quarter": piece.ticks_per_quarter,
        "notes": rows_of(piece),
        "tempi": list(zip(piece.tempo_ticks.tolist(), piece.tempo_bpm.tolist(), strict=True)),
        "metres": list(
            zip(
                piece.metre_ticks.tolist(),
                piece.metre_numerator.tolist(),
                piece.metre_denominator.tolist(),
                strict=True,
            )
        ),
        "key": piece.key,
    }


@st.composite
def pieces(
    draw: st.DrawFn,
    metres: Sequence[tuple[int, int]] = LISTED_METRES + ODD_METRES,
    max_quarters: int = 120,
    bpm: tuple[float, float] = (4.0, 1000.0),
    max_tempo_changes: int = 4,
) -> Piece:
    """Draw any piece of 1 to 60 notes that `parse_midi` could return, changes of tempo and metre at any tick."""
    tpq = draw(st.sampled_from(TICKS_PER_QUARTER))
    ticks = st.integers(0, max_quarters * tpq)
    row = st.tuples(
        ticks, st.integers(1, 20 * tpq), st.integers(0, 127), st.integers(1, 127), st.sampled_from((0, 1, 40, 127, DRUMS))
    )
    rows = draw(st.lists(row, min_size=1, max_size=60))
    tempi = draw(st.lists(st.tuples(ticks, st.floats(*bpm)), max_size=max_tempo_changes))
    first_bpm = draw(st.floats(*bpm))
    metre = st.sampled_from(metres)
    changes = draw(st.lists(st.tuples(ticks, metre), max_size=5))
    first = draw(metre)
    return make_piece(
        rows,
        tpq,
        ((0, first_bpm), *tempi),
        [(0, *first), *((tick, *change) for tick, change in changes)],
        draw(st.sampled_from((None, *KEYS))),
    )


_STEPS = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_CHORDS = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 3), (1, 4, 0, 0))
_LEADS = (0, 24, 40, 56, 65, 73)
_HARMONIES = (0, 4, 16, 25, 48)


def compose(seed: int, n_bars: int = 16, ticks_per_quarter: int = 480) -> Piece:
    """Compose a melody over chords and a bass, with drums in every other piece; the same seed makes the same piece."""
    rng = np.random.default_rng(seed)
    key = KEYS[int(rng.integers(24))]
    tonic, scale = KEYS.index(key) % 12, _STEPS[key.split()[1]]
    numerator, denominator = ((4, 4), (3, 4), (6, 8), (2, 4))[seed % 4]
    bar_ticks = numerator * 4 * ticks_per_quarter // denominator
    step = ticks_per_quarter // 2
    lead, harmony = int(rng.choice(_LEADS)), int(rng.choice(_HARMONIES))
    degrees = _CHORDS[int(rng.integers(len(_CHORDS)))]
    rows: dict[tuple[int, int, int], tuple[int, int]] = {}

    def pitch_of(degree: int, octave: int) -> int:
        return 12 * octave + tonic + 12 * (degree // 7) + scale[degree % 7]

    melody = 7
    for bar in range(n_bars):
        at, degree = bar * bar_ticks, degrees[bar % 4]
        for third in (0, 2, 4):
            rows[at, harmony, pitch_of(degree + third, 4)] = (bar_ticks, 60 + int(rng.integers(8)))
        rows[at, 33, pitch_of(degree, 2)] = (bar_ticks // 2, 80)
        for onset in range(at, at + bar_ticks, step):
            if onset == at or rng.random() < 0.6:
                melody = int(np.clip(melody + rng.integers(-2, 3), 3, 13))
                rows[onset, lead, pitch_of(melody, 5)] = (step, int(rng.integers(70, 110)))
            if seed % 2 == 0:
                rows[onset, DRUMS, 42] = (step // 2, 64)
        if seed % 2 == 0:
            rows[at, DRUMS, 36] = (step, 100)
    bpm = float(rng.integers(60, 180))
    return make_piece(
        [(at, duration, pitch, velocity, program) for (at, program, pitch), (duration, velocity) in rows.items()],
        ticks_per_quarter,
        [(0, bpm)],
        [(0, numerator, denominator)],
        key,
    )
