"""A `Piece` to the bytes of a Standard MIDI File (format 1), with symusic; one track for each program."""

from __future__ import annotations

import io

import numpy as np
from symusic import KeySignature, Note, Score, Tempo, TimeSignature, Track

from amt_ray.errors import InvalidPiece
from amt_ray.midi.instruments import DRUMS, INSTRUMENTS
from amt_ray.midi.keys import signature_of_key
from amt_ray.midi.piece import IntArray, Notes, Piece


def write_midi(piece: Piece) -> bytes:
    """Serialise a piece: tempo, metre and key events, then a named track for each program, drums on channel 10.

    A note that is struck again while it sounds is cut at the new onset, because MIDI cannot tell the two apart. The same
    piece gives the same bytes.
    """
    score = _score(piece)
    data: bytes = score.dumps_midi()
    return data


def _score(piece: Piece) -> Score:
    score = Score(piece.ticks_per_quarter)
    score.tempos = [Tempo(int(t), qpm=float(bpm)) for t, bpm in zip(piece.tempo_ticks, piece.tempo_bpm, strict=True)]
    metres = zip(piece.metre_ticks, piece.metre_numerator, piece.metre_denominator, strict=True)
    score.time_signatures = [TimeSignature(int(t), int(n), int(d)) for t, n, d in metres]
    if piece.key is not None:
        sharps, is_minor = signature_of_key(piece.key)
        score.key_signatures = [KeySignature(0, sharps, int(is_minor))]
    for program in piece.programs:
        score.tracks.append(_track(piece.notes.take(piece.notes.program == program), program))
    return score


def _track(notes: Notes, program: int) -> Track:
    is_drum = program == DRUMS
    track = Track(INSTRUMENTS[program], 0 if is_drum else program, is_drum)
    track.notes = Note.from_numpy(
        notes.onset_ticks.astype(np.int32),
        cut_at_next_strike(notes.pitch, notes.onset_ticks, notes.duration_ticks).astype(np.int32),
        notes.pitch.astype(np.int8),
        notes.velocity.astype(np.int8),
    )
    return track


def cut_at_next_strike(voice: IntArray, onset: IntArray, duration: IntArray) -> IntArray:
    """Shorten durations so that no note of a voice (a pitch, or a pitch of a program) outlasts that voice's next onset.

    All arrays are int64[N], voices below 2^15, `onset` ascending and different within a voice, in the unit of `duration`.
    Returns the new durations, same order.
    """
    order = np.argsort(voice.astype(np.int16), kind="stable")  # a radix sort, which numpy has for 16 bits only
    gap = np.diff(onset[order])
    same_voice = np.diff(voice[order]) == 0
    shortened = duration[order]
    shortened[:-1] = np.where(same_voice, np.minimum(shortened[:-1], gap), shortened[:-1])
    result = np.empty_like(shortened)
    result[order] = shortened
    return result


def check_opens(data: bytes) -> None:
    """Open a MIDI file with pretty_midi, which users will do. Raises InvalidPiece if it cannot or finds no note in it."""
    import pretty_midi

    try:
        opened = pretty_midi.PrettyMIDI(io.BytesIO(data))
    except (ValueError, EOFError, OSError, KeyError, IndexError) as exc:
        raise InvalidPiece("corrupt", f"pretty_midi cannot open it: {exc}") from exc
    if not any(instrument.notes for instrument in opened.instruments):
        raise InvalidPiece("no_notes", "pretty_midi finds no note in it")
