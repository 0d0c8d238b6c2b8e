"""Bytes of a Standard MIDI File to a `Piece`, with symusic; every way to fail is an `InvalidPiece` with a reason."""

from __future__ import annotations

import numpy as np
from symusic import Score

from amt_ray.errors import InvalidPiece
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.keys import key_of_signature
from amt_ray.midi.piece import FloatArray, IntArray, Notes, Piece

SLOWEST_BPM, FASTEST_BPM = 4.0, 1000.0
"""Tempo events outside this range are mistakes in the file and are left out."""

MOST_BEATS = 64
DENOMINATORS = (1, 2, 4, 8, 16, 32, 64)
"""Metres outside these are mistakes in the file and are left out."""
LONGEST_QUARTERS = 1_000_000
"""Days of music: only damaged delta times reach this, and bars would be laid all the way."""
HEADER_SEARCH_BYTES = 1024
"""MacBinary and RIFF containers put up to 128 bytes before the MIDI header."""


def parse_midi(data: bytes) -> Piece:
    """Read a Standard MIDI File (format 0, 1 or 2; ticks per quarter note) into a `Piece`.

    Notes of zero length are kept as one tick. Raises `InvalidPiece` with reason `empty_file`, `not_midi`, `corrupt`,
    `bad_timing` or `no_notes`.
    """
    score = _read(data)
    notes = _notes(score)
    if not len(notes):
        raise InvalidPiece("no_notes", "the file holds no note with a beginning and an end")
    tempo_ticks, tempo_bpm = _tempo_map(score)
    metre_ticks, numerator, denominator = _metre_map(score)
    return Piece(
        ticks_per_quarter=score.ticks_per_quarter,
        notes=notes,
        tempo_ticks=tempo_ticks,
        tempo_bpm=tempo_bpm,
        metre_ticks=metre_ticks,
        metre_numerator=numerator,
        metre_denominator=denominator,
        key=_key(score),
    )


def _read(data: bytes) -> Score:
    if not data:
        raise InvalidPiece("empty_file", "0 bytes")
    start = data.find(b"MThd", 0, HEADER_SEARCH_BYTES)
    if start < 0:
        raise InvalidPiece("not_midi", f"begins with {data[:8]!r}, a MIDI file begins with b'MThd'")
    data = data[start:]
    division = int.from_bytes(data[12:14], "big") if len(data) >= 14 else 0
    if len(data) >= 14 and (division == 0 or division >= 0x8000):
        raise InvalidPiece("bad_timing", f"division {division:#06x} is not a number of ticks per quarter note")
    try:
        return Score.from_midi(data)
    # symusic's C++ parser raises several kinds, all of which mean that these bytes cannot be read.
    except (RuntimeError, ValueError, IndexError, OverflowError) as exc:
        raise InvalidPiece("corrupt", str(exc).strip()[:200]) from exc


def _notes(score: Score) -> Notes:
    tracks = [(track.notes.numpy(), DRUMS if track.is_drum else track.program) for track in score.tracks]
    onset, duration, pitch, velocity = (
        np.concatenate([np.zeros(0, np.int64), *(arrays[name] for arrays, _ in tracks)])
        for name in ("time", "duration", "pitch", "velocity")
    )
    _check(onset, duration, score.ticks_per_quarter)
    velocity = np.clip(velocity, 1, 127)
    program = np.repeat(np.array([p for _, p in tracks], np.int64), [len(arrays["time"]) for arrays, _ in tracks])
    order = np.argsort((onset << 8 | program) << 7 | pitch, kind="stable")
    return Notes(onset, np.maximum(duration, 1), pitch, velocity, program).take(order)


def _check(onset: IntArray, duration: IntArray, ticks_per_quarter: int) -> None:
    overflown = onset.min(initial=0) < 0
    if overflown or (onset + duration).max(initial=0) > LONGEST_QUARTERS * ticks_per_quarter:
        raise InvalidPiece("bad_timing", f"a note ends more than {LONGEST_QUARTERS:,} quarter notes after the start")


def _last_at_each_tick(ticks: IntArray) -> IntArray:
    """Indices that sort `ticks` and keep, of several events at one tick, the last."""
    order = np.argsort(ticks, kind="stable")
    last: IntArray = order[np.append(np.diff(ticks[order]) != 0, True)]
    return last


def _tempo_map(score: Score) -> tuple[IntArray, FloatArray]:
    events = [(t.time, t.qpm) for t in score.tempos if t.time >= 0 and SLOWEST_BPM <= t.qpm <= FASTEST_BPM]
    ticks = np.array([0, *(t for t, _ in events)], np.int64)
    keep = _last_at_each_tick(ticks)
    return ticks[keep], np.array([120.0, *(bpm for _, bpm in events)])[keep]


def _metre_map(score: Score) -> tuple[IntArray, IntArray, IntArray]:
    events = [(t.time, t.numerator, t.denominator) for t in score.time_signatures if t.time >= 0]
    sound = [(t, n, d) for t, n, d in events if 1 <= n <= MOST_BEATS and d in DENOMINATORS]
    rows = np.array([(0, 4, 4), *sound], np.int64)
    rows = rows[_last_at_each_tick(rows[:, 0])]
    return rows[:, 0], rows[:, 1], rows[:, 2]


def _key(score: Score) -> str | None:
    """The first key signature that there is such a thing as; others are mistakes in the file."""
    sound = [(s.key, bool(s.tonality)) for s in score.key_signatures if -7 <= s.key <= 7]
    return key_of_signature(*sound[0]) if sound else None
