"""Features of real music beside those that pretty_midi, music21 and human analysts find in it.

With AMT_REAL_LIBRARY naming a folder of MIDI files, 200 of them are compared with pretty_midi too.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from strategies import make_piece

from amt_ray.errors import InvalidPiece
from amt_ray.midi.batch import lay_out
from amt_ray.midi.corpus import default_works, work_to_midi
from amt_ray.midi.features import measure
from amt_ray.midi.harmony import chords_by_beat
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.keys import KEYS
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.rhythm import beats_of

music21 = pytest.importorskip("music21")

CORPUS = Path(music21.__file__).parent / "corpus"
CHORALES = ("bach/bwv269.mxl", "bach/bwv302.mxl", "bach/bwv133.6.mxl", "bach/bwv244.54.mxl", "bach/bwv368.mxl")
MELODIES = ("ryansMammoth/GarryOwenJig.abc", "ryansMammoth/DevilsDreamReel.abc")
RAG = "joplin/maple_leaf_rag.mxl"
QUARTET = "mozart/k80/movement1.mxl"
OTHERS = (
    "bach/bwv846.mxl",
    "mozart/k545/movement1_exposition.mxl",
    "schumann_robert/opus48no2.mxl",
    "verdi/laDonnaEMobile.mxl",
    "johnson_j_r/lift_every_voice.mxl",
)
WORKS = (*CHORALES, *MELODIES, RAG, QUARTET, *OTHERS)
# Riemenschneider's number to the chorale in the corpus: those whose human analysis ends with the score.
ANALYSED = {1: "bwv269", 2: "bwv347", 6: "bwv281", 8: "bwv40.8", 10: "bwv38.6", 18: "bwv318"}


@pytest.fixture(scope="module")
def midis():
    by_path = {work.corpus_path: work for work in default_works()}
    return {path: work_to_midi(by_path[path]) for path in WORKS}


@pytest.fixture(scope="module")
def features(midis):
    return {path: measure(parse_midi(data)) for path, data in midis.items()}


@pytest.fixture(scope="module")
def scores():
    return {path: read_score(path) for path in WORKS}


def read_score(path, form=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return music21.converter.parse(CORPUS / path, format=form, forceSource=True, storePickle=False)


def differences(data):
    """What pretty_midi finds to be otherwise in a file, by name; each with its tolerance."""
    got, midi = measure(parse_midi(data)), pretty_midi.PrettyMIDI(io.BytesIO(data))
    notes = [note for instrument in midi.instruments for note in instrument.notes]
    pitches = [note.pitch for instrument in midi.instruments if not instrument.is_drum for note in instrument.notes]
    velocities = [note.velocity for note in notes]
    start, end = min(note.start for note in notes), max(note.end for note in notes)
    times, tempi = midi.get_tempo_changes()
    first = max(int(np.searchsorted(times, start + 1e-6, side="right")) - 1, 0)
    heard = [tempo for time, tempo in zip(times, tempi, strict=True) if start + 1e-6 < time < end - 1e-6]
    classes = midi.get_pitch_class_histogram(use_duration=True, use_velocity=False, normalize=True)
    # Seconds there, beats here: where the tempo changes the shares may differ.
    pitch_class_tolerance = 0.005 if not got.n_tempo_changes else 0.04
    agrees = {
        "duration_s": abs(got.duration_s - end) <= 0.001 * end,
        "n_notes": abs(got.n_notes - len(notes)) <= 0.01 * len(notes),
        "programs": set(got.programs) == {DRUMS if i.is_drum else i.program for i in midi.instruments},
        "tempo_first_bpm": abs(got.tempo_first_bpm - tempi[first]) <= 0.01,
        "n_tempo_changes": got.n_tempo_changes
        == sum(before != after for before, after in itertools.pairwise([tempi[first], *heard])),
        "pitches": (got.n_pitches, got.pitch_min, got.pitch_max)
        == (len(set(pitches)), min(pitches, default=None), max(pitches, default=None)),
        "pitch_classes": np.abs(classes - got.pitch_classes).max() <= pitch_class_tolerance,
        "velocities": (got.velocity_min, got.velocity_max) == (min(velocities), max(velocities))
        and abs(got.velocity_mean - np.mean(velocities)) <= 0.3
        and abs(got.velocity_std - np.std(velocities)) <= 0.3,
    }
    return [name for name, is_same in agrees.items() if not is_same]


@pytest.mark.parametrize("path", WORKS)
def test_a_score_as_midi_measures_as_in_pretty_midi(path, midis):
    assert differences(midis[path]) == []


@pytest.mark.parametrize("path", WORKS)
def test_ambitus_and_metre_are_those_of_the_score(path, features, scores):
    low, high = music21.analysis.discrete.Ambitus().getPitchSpan(scores[path])
    metre = scores[path].recurse().getElementsByClass("TimeSignature").first().ratioString
    got = features[path]
    assert (got.pitch_min, got.pitch_max, got.time_signature) == (low.midi, high.midi, metre)


def test_nine_of_ten_keys_are_those_of_music21(features, scores):
    keys = {path: scores[path].analyze("key") for path in WORKS}
    same = [
        KEYS.index(features[path].key) == key.tonic.pitchClass + 12 * (key.mode == "minor") for path, key in keys.items()
    ]
    assert np.mean(same) >= 0.9


def sounding(score):
    """A score without its repeats as a piece in 4/4, which has the same beats as 3/4."""
    notes = [(note.offset, note.quarterLength, pitch.midi) for note in score.flatten().notes for pitch in note.pitches]
    return make_piece([(round(480 * at), round(480 * length), pitch, 80, 0) for at, length, pitch in notes if length], 480)


def chords_of(score):
    batch = lay_out([sounding(score)])
    *labels, _ = chords_by_beat(batch.pitched, beats_of(batch), [measure(batch.pieces[0]).key]).tolist()
    return labels


def test_chord_roots_are_those_that_music21_finds_on_the_beats_of_chorales(scores):
    labels = {path: chords_of(scores[path]) for path in CHORALES}
    same = [
        labels[path][int(chord.offset)] % 12 == chord.root().pitchClass
        for path in CHORALES
        for chord in scores[path].chordify().flatten().getElementsByClass("Chord")
        if chord.offset % 1 == 0 and chord.quarterLength >= 1 and (chord.isTriad() or chord.isSeventh())
    ]
    assert len(same) > 50
    assert np.mean(same) >= 0.95


def beat_by_beat(analysis, n_beats):
    """The Roman numeral that holds longest in each beat, as root and pitch classes above it."""
    overlaps = [Counter() for _ in range(n_beats)]
    for numeral in analysis.flatten().getElementsByClass("RomanNumeral"):
        start, end = numeral.offset, numeral.offset + numeral.quarterLength
        root = numeral.root().pitchClass
        chord = root, frozenset((pitch.pitchClass - root) % 12 for pitch in numeral.pitches)
        for beat in range(int(start), min(int(np.ceil(end)), n_beats)):
            overlaps[beat][chord] += min(end, beat + 1) - max(start, beat)
    return [overlap.most_common(1)[0][0] if overlap else None for overlap in overlaps]


def test_chords_of_chorales_are_those_of_human_analysts_in_nine_of_ten_beats():
    thirds_and_fifths = [(4, 7), (3, 7), (3, 6), (4, 8), (4, 7), (4, 7), (3, 7), (3, 6), (3, 6)]
    same = []
    for number, chorale in ANALYSED.items():
        labels = chords_of(read_score(f"bach/{chorale}.mxl"))
        analysis = read_score(f"bach/choraleAnalyses/riemenschneider{number:03d}.rntxt", "romantext")
        for label, chord in zip(labels, beat_by_beat(analysis, len(labels)), strict=True):
            if chord:
                root, tones = chord
                same.append(label % 12 == root and label >= 0 and tones.issuperset(thirds_and_fifths[label // 12]))
    assert len(same) > 250
    assert np.mean(same) >= 0.9


def test_textures_are_those_that_a_listener_hears(features):
    assert {path: features[path].polyphony for path in (*CHORALES, *MELODIES, QUARTET)} == {
        **dict.fromkeys(CHORALES, "homo"),
        **dict.fromkeys(MELODIES, "mono"),
        QUARTET: "poly",
    }


def test_a_rag_is_syncopated_and_chorales_and_jigs_are_not(features):
    assert features[RAG].syncopation > 0.1
    assert max(features[path].syncopation for path in (*CHORALES, *MELODIES)) < 0.05


def test_a_real_library_measures_as_in_pretty_midi():
    folder = os.environ.get("AMT_REAL_LIBRARY")
    if not folder:
        pytest.skip("AMT_REAL_LIBRARY does not name a folder of MIDI files")
    by_hash = sorted(
        Path(folder).rglob("*.mid"), key=lambda path: hashlib.sha256(path.relative_to(folder).as_posix().encode()).digest()
    )
    found, n_files = Counter(), 0
    for path in by_hash[:200]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # tempi outside of the first track, which pretty_midi leaves out
                found.update(differences(path.read_bytes()))
        except InvalidPiece:
            continue
        n_files += 1
    assert n_files > 0
    assert [name for name, n in found.items() if n > 0.03 * n_files] == [], (
        f"{n_files} files, of which differ: {dict(found)}"
    )
