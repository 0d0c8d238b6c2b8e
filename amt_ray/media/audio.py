"""A MIDI file as sound: rustysynth (through the package midirenderer) plays it with the SoundFont that pretty_midi ships.

Not symusic's `Synthesizer`: 0.5.8 ignores this SoundFont's `overridingRootKey`, so that its piano sounds one to two
semitones flat and its violin nearly four sharp, and it ignores velocity.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import wave
from pathlib import Path

import numpy as np
from symusic import Score, TextMeta

from amt_ray.errors import InvalidPiece, MissingPackageError
from amt_ray.midi.parse import parse_midi

PEAK_DBFS = -1.0
TAIL_S = 1.5
FADE_S = 0.05


def render_wav(midi: bytes) -> bytes:
    """Render a Standard MIDI File to a 16-bit stereo WAV at 48 kHz, peak at -1 dBFS, silence staying silence.

    The sound lasts `TAIL_S` past the last note, so that it can die away. The same file gives the same bytes. Raises
    InvalidPiece for bytes that are no MIDI file with notes, MissingPackageError when the SoundFont is not installed.
    """
    import midirenderer

    parse_midi(midi)
    try:
        rendered = midirenderer.render_wave_from(_soundfont(), _with_tail(midi))
    except RuntimeError as exc:
        raise InvalidPiece("corrupt", str(exc)) from exc
    with wave.open(io.BytesIO(rendered)) as source:
        rate_hz, channels = source.getframerate(), source.getnchannels()
        samples = np.frombuffer(source.readframes(source.getnframes()), np.int16).reshape(-1, channels).astype(np.float32)
    fade = min(round(FADE_S * rate_hz), len(samples))
    samples[len(samples) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    samples *= 32767 * 10 ** (PEAK_DBFS / 20) / max(1.0, float(np.abs(samples).max(initial=0)))
    return _wav(np.rint(samples).astype("<i2"), rate_hz)


def soundfont_path() -> Path:
    """Where TimGM6mb.sf2 lies. Raises MissingPackageError when pretty_midi or its SoundFont is not there."""
    spec = importlib.util.find_spec("pretty_midi")
    path = Path(spec.origin).with_name("TimGM6mb.sf2") if spec is not None and spec.origin is not None else Path()
    if not path.is_file():
        raise MissingPackageError("pretty_midi (with TimGM6mb.sf2)", "rendering audio", "pip install pretty_midi")
    return path


@functools.cache
def _soundfont() -> bytes:
    return soundfont_path().read_bytes()


def _with_tail(midi: bytes) -> bytes:
    """Move the file's end `TAIL_S` further by an empty marker: the renderer stops at the last event."""
    score = Score.from_midi(midi)
    seconds_score = score.to("second")
    seconds_score.markers.append(TextMeta(seconds_score.end() + TAIL_S, "", ttype="second"))
    data: bytes = seconds_score.to("tick").dumps_midi()
    return data


def _wav(samples: np.ndarray, rate_hz: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sink:
        sink.setnchannels(samples.shape[1])
        sink.setsampwidth(2)
        sink.setframerate(rate_hz)
        sink.writeframes(samples.tobytes())
    return out.getvalue()
