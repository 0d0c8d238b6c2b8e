"""Bytes of a Standard MIDI File to a `Piece`, with symusic; every way to fail is an `InvalidPiece` with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
    if not score.note_num():
        raise InvalidPiece("no_notes", "the file holds no note with a beginning and an end")
    tempo_ticks, tempo_bpm = _tempo_map(score)
    metre_ticks, numerator, denominator = _metre_map(score)
    return Piece(
        ticks_per_quarter=score.ticks_per_quarter,
        notes=_notes(score),
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


def _each(events: Any) -> Iterator[Any]:
    """By index: symusic's own iterators end with a C++ exception, which takes longer than a few events do."""
    return map(events.__getitem__, range(len(events)))


def _notes(score: Score) -> Notes:
    tracks = [(track.notes.numpy(), DRUMS if track.is_drum else track.program) for track in _each(score.tracks)]
    onset, duration, pitch, velocity = (
        np.concatenate([arrays[name] for arrays, _ in tracks], dtype=np.int64)
        for name in ("time", "duration", "pitch", "velocity")
    )
    _check(onset, duration, score.ticks_per_quarter)
    program = np.repeat(np.array([p for _, p in tracks], np.int64), [len(arrays["time"]) for arrays, _ in tracks])
    order = np.argsort((onset << 8 | program) << 7 | pitch, kind="stable")
    return Notes(
        onset.take(order),
        np.maximum(duration, 1).take(order),
        pitch.take(order),
        velocity.take(order),
        program.take(order),
    )


def _check(onset: IntArray, duration: IntArray, ticks_per_quarter: int) -> None:
    overflown = onset.min() < 0
    if overflown or (onset + duration).max() > LONGEST_QUARTERS * ticks_per_quarter:
        raise InvalidPiece("bad_timing", f"a note ends more than {LONGEST_QUARTERS:,} quarter notes after the start")


def _tempo_map(score: Score) -> tuple[IntArray, FloatArray]:
    """Events come in order of time; of several at one tick, the last counts."""
    bpm_at = {0: 120.0} | {t.time: t.qpm for t in _each(score.tempos) if t.time >= 0 and SLOWEST_BPM <= t.qpm <= FASTEST_BPM}
    return np.array(list(bpm_at), np.int64), np.array(list(bpm_at.values()))


def _metre_map(score: Score) -> tuple[IntArray, IntArray, IntArray]:
    """Events come in order of time; of several at one tick, the last counts."""
    events = [(t.time, t.numerator, t.denominator) for t in _each(score.time_signatures) if t.time >= 0]
    metre_at = {0: (4, 4)} | {t: (n, d) for t, n, d in events if 1 <= n <= MOST_BEATS and d in DENOMINATORS}
    ticks, numerator, denominator = np.array([(t, n, d) for t, (n, d) in metre_at.items()], np.int64).T
    return ticks, numerator, denominator


def _key(score: Score) -> str | None:
    """The first key signature that there is such a thing as; others are mistakes in the file."""
    sound = [(s.key, bool(s.tonality)) for s in _each(score.key_signatures) if -7 <= s.key <= 7]
    return key_of_signature(*sound[0]) if sound else None
