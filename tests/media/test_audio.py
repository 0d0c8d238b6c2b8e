import io
import wave

import numpy as np
import pytest

from amt_ray.errors import InvalidPiece, MissingPackageError
from amt_ray.media import audio
from amt_ray.media.audio import TAIL_S, render_wav, soundfont_path
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.piece import Notes, Piece
from amt_ray.midi.write import write_midi

RATE_HZ = 48_000


def sound(*rows):
    """Rows of (onset, duration, pitch, velocity, program) at 480 ticks and 120 bpm, rendered: float64[samples, 2]."""
    columns = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    with wave.open(io.BytesIO(render_wav(write_midi(Piece(480, Notes(*columns)))))) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (RATE_HZ, 2, 2)
        return np.frombuffer(wav.readframes(wav.getnframes()), "<i2").reshape(-1, 2).astype(float)


def strongest_near(samples, hz):
    """The strongest frequency within three semitones of `hz`."""
    mono = samples[4800:48000, 0]
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)), 2**19))
    frequency_hz = np.fft.rfftfreq(2**19, 1 / RATE_HZ)
    near = (frequency_hz > hz / 1.19) & (frequency_hz < hz * 1.19)
    return frequency_hz[near][spectrum[near].argmax()]


@pytest.mark.parametrize("program", [0, 24, 40, 42, 56, 73])
@pytest.mark.parametrize("pitch", [57, 60, 69])
def test_notes_are_in_tune_within_one_percent(program, pitch):
    hz = 440 * 2 ** ((pitch - 69) / 12)
    assert strongest_near(sound((0, 960, pitch, 100, program)), hz) == pytest.approx(hz, rel=0.01)


def test_programs_sound_different():
    piano, violin = (sound((0, 960, 69, 100, program))[:RATE_HZ, 0] for program in (0, 40))
    assert abs(np.corrcoef(piano, violin)[0, 1]) < 0.5


def test_drums_sound():
    assert np.sqrt((sound((0, 120, 36, 100, DRUMS))[:9600] ** 2).mean()) > 300


def test_a_louder_note_is_louder():
    samples = sound((0, 240, 69, 40, 56), (1440, 240, 69, 120, 56))
    soft, loud = samples[: RATE_HZ // 4], samples[3 * RATE_HZ // 2 : 7 * RATE_HZ // 4]
    assert np.sqrt((loud**2).mean()) > 3 * np.sqrt((soft**2).mean())


def test_a_late_note_begins_on_time_and_there_is_a_tail():
    samples = np.abs(sound((1920, 480, 60, 100, 0))).max(axis=1)
    assert samples[: 2 * RATE_HZ - 480].max() < 50
    assert samples[2 * RATE_HZ : 2 * RATE_HZ + 4800].max() > 3000
    assert len(samples) / RATE_HZ == pytest.approx(2.5 + TAIL_S, abs=0.05)


def test_the_peak_is_minus_one_dbfs_and_the_end_is_silent():
    samples = np.abs(sound((0, 480, 60, 20, 0)))
    assert samples.max() == pytest.approx(32767 * 10 ** (-1 / 20), rel=1e-3)
    assert samples[-1].max() == 0


def test_same_file_same_bytes():
    piece = Piece(480, Notes(*(np.array([value], np.int64) for value in (0, 480, 64, 90, 40))))
    assert render_wav(write_midi(piece)) == render_wav(write_midi(piece))


@pytest.mark.parametrize(("data", "reason"), [(b"", "empty_file"), (b"no music here", "not_midi")])
def test_what_is_no_midi_is_an_invalid_piece(data, reason):
    with pytest.raises(InvalidPiece) as caught:
        render_wav(data)
    assert caught.value.reason == reason


def test_a_missing_soundfont_names_the_package(monkeypatch):
    monkeypatch.setattr(audio.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match="pip install pretty_midi"):
        soundfont_path()
