import numpy as np
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose

from amt_ray.midi.keys import KEYS, estimate_key, estimate_keys, key_of_signature, signature_of_key

# Sharps (negative: flats) of the circle of fifths, as any theory book prints it.
MAJOR = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F#": 6, "Db": -5, "Ab": -4, "Eb": -3, "Bb": -2, "F": -1}
MINOR = {"A": 0, "E": 1, "B": 2, "F#": 3, "C#": 4, "G#": 5, "Eb": -6, "Bb": -5, "F": -4, "C": -3, "G": -2, "D": -1}
SIGNATURES = {f"{t} major": (n, False) for t, n in MAJOR.items()} | {f"{t} minor": (n, True) for t, n in MINOR.items()}


def test_all_24_keys_are_there():
    assert set(SIGNATURES) == set(KEYS)
    assert len(KEYS) == 24


@pytest.mark.parametrize("key", KEYS)
def test_signature_is_the_circle_of_fifths(key):
    assert signature_of_key(key) == SIGNATURES[key]
    assert key_of_signature(*signature_of_key(key)) == key


@pytest.mark.parametrize(
    ("sharps", "minor", "key"), [(7, 0, "Db major"), (-7, 0, "B major"), (-6, 0, "F# major"), (6, 1, "Eb minor")]
)
def test_enharmonic_signatures_are_spelled_with_the_fewer_accidentals(sharps, minor, key):
    assert key_of_signature(sharps, bool(minor)) == key


def pitch_class(tonic):
    return ("C D EF G A B".index(tonic[0]) + tonic.count("#") - tonic[1:].count("b")) % 12


@pytest.mark.parametrize("index", range(24))
def test_keys_stand_in_the_order_of_pretty_midi(index):
    (ours, mode), (theirs, their_mode) = KEYS[index].split(), pretty_midi.key_number_to_key_name(index).split()
    assert pitch_class(ours) == pitch_class(theirs) == index % 12
    assert mode == their_mode.lower()


def test_an_unknown_key_has_no_signature():
    with pytest.raises(KeyError, match="H minor"):
        signature_of_key("H minor")


@pytest.mark.parametrize("key", KEYS)
def test_a_scale_with_its_triad_is_recognised(key):
    tonic, is_minor = KEYS.index(key) % 12, key.endswith("minor")
    scale = (0, 2, 3, 5, 7, 8, 10) if is_minor else (0, 2, 4, 5, 7, 9, 11)
    triad = (0, 3, 7) if is_minor else (0, 4, 7)
    pitch = np.array([60 + tonic + step for step in (*scale, *triad, 0)])
    found, confidence = estimate_key(pitch, np.full(len(pitch), 480))
    assert found == key
    assert 0.8 < confidence <= 1.0


@given(st.integers(0, 11), st.lists(st.tuples(st.integers(30, 90), st.integers(1, 1000)), min_size=3, max_size=30))
def test_transposing_transposes_the_key(semitones, notes):
    pitch, duration = np.array(notes).T
    found, confidence = estimate_key(pitch, duration)
    moved, moved_confidence = estimate_key(pitch + semitones, duration)
    if found is None:
        assert moved is None
    else:
        assert moved_confidence == pytest.approx(confidence)
        ranked = sorted(_correlations(pitch, duration), reverse=True)
        if ranked[0] - ranked[1] > 1e-9:
            tonic = (KEYS.index(found) % 12 + semitones) % 12
            assert moved == KEYS[tonic + 12 * (KEYS.index(found) >= 12)]


def _correlations(pitch, duration):
    """Krumhansl-Schmuckler with numpy's own correlation; the profiles as Krumhansl (1990) prints them."""
    major = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]
    minor = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]
    weights = np.bincount(pitch % 12, weights=duration, minlength=12)
    return [np.corrcoef(weights, np.roll(profile, tonic))[0, 1] for profile in (major, minor) for tonic in range(12)]


@given(st.lists(st.tuples(st.integers(0, 127), st.integers(1, 1000)), min_size=1, max_size=30))
def test_estimate_is_the_best_correlation(notes):
    pitch, duration = np.array(notes).T
    found, confidence = estimate_key(pitch, duration)
    if found is not None:
        correlations = _correlations(pitch, duration)
        assert confidence == pytest.approx(max(0.0, *correlations))
        assert correlations[KEYS.index(found)] == pytest.approx(max(correlations))


# Of little and even weights, several keys often fit one equally well.
weights = st.lists(st.integers(0, 4), min_size=12, max_size=12)


@given(st.lists(weights, min_size=1, max_size=40))
def test_keys_estimated_together_are_as_each_alone(rows):
    keys, confidences = estimate_keys(np.array(rows, np.float64))
    alone = [estimate_key(np.arange(12), np.array(row)) for row in rows]
    assert list(zip(keys, confidences.tolist(), strict=True)) == alone


@pytest.mark.parametrize("n_pieces", [1, 2, 5, 32])
@pytest.mark.parametrize("steps", [(0, 3, 6, 9), (0, 4, 8), (0, 6), (0, 2, 4, 6, 8, 10)], ids=len)
def test_of_keys_that_fit_equally_the_first_is_named_whatever_the_other_pieces(steps, n_pieces):
    n_different = 12 // len(steps)
    rows = [np.bincount([(tonic + step) % 12 for step in steps], minlength=12) for tonic in range(12)]
    for tonic, row in enumerate(rows):
        keys, _ = estimate_keys(np.tile(row.astype(np.float64), (n_pieces, 1)))
        correlations = _correlations(np.flatnonzero(row), np.ones(len(steps)))
        best = [key for key, fit in zip(KEYS, correlations, strict=True) if fit > max(correlations) - 1e-9]
        assert keys == best[:1] * n_pieces, tonic
        assert len(best) == 12 // n_different


def test_no_key_without_notes_or_with_all_pitches_alike():
    nothing = np.zeros(0, np.int64)
    assert estimate_key(nothing, nothing) == (None, 0.0)
    assert estimate_key(np.arange(60, 72), np.full(12, 480)) == (None, 0.0)


def test_composed_pieces_are_in_their_key_or_its_neighbours():
    hits = 0
    for seed in range(24):
        piece = compose(seed)
        pitched = piece.notes.program != 128
        found, _ = estimate_key(piece.notes.pitch[pitched], piece.notes.duration_ticks[pitched])
        hits += found == piece.key
    assert hits >= 18
