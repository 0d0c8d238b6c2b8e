import csv
from importlib.resources import files

import pytest

from amt_ray.midi.instruments import INSTRUMENTS, N_PROGRAMS
from amt_ray.text.analyse import analyse
from amt_ray.text.clean import tokenize
from amt_ray.text.labels import GENRES, MOODS
from amt_ray.text.lexicon import find, lexicon, tempo_words
from amt_ray.text.lexicon_files import read_rows
from amt_ray.text.notation import FASTEST_BPM, SLOWEST_BPM, is_time_signature

FILES = sorted(files("amt_ray.text").joinpath("lexicons").iterdir(), key=lambda file: file.name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_list_says_where_it_comes_from_and_repeats_nothing(file):
    provenance, *lines = file.read_text(encoding="utf-8").splitlines()
    assert provenance.startswith("# Provenance: ")
    header, *rows = csv.reader(lines)
    assert {len(row) for row in rows} == {len(header)}
    assert len(set(map(tuple, rows))) == len(rows)


def test_meanings_stay_within_the_closed_lists():
    moods = {*MOODS, *(row["theme"] for row in read_rows("themes"))}
    allowed = {
        "genre": set(GENRES),
        "mood": moods,
        "polyphony": {"mono", "homo", "poly"},
        "density": {"sparse", "dense"},
        "instrument": set(INSTRUMENTS),
    }
    meanings = [meaning for several in lexicon().meanings.values() for meaning in several]
    for kind, names in allowed.items():
        assert {m.name for m in meanings if m.kind == kind} <= names
    assert all(is_time_signature(m.name) for m in meanings if m.kind == "metre")
    assert {m.name for m in meanings if m.kind == "genre"} == set(GENRES)
    assert {m.name for m in meanings if m.kind == "mood"} == moods
    assert all(0 < m.confidence <= 1 and m.bounds[0] <= m.bounds[1] for m in meanings)
    assert {p for m in meanings for p in m.programs} == set(range(N_PROGRAMS))


def test_tempo_words_that_captions_use_cover_the_common_tempi():
    ranges = tempo_words(for_captions=True).values()
    assert all(SLOWEST_BPM <= low < high <= FASTEST_BPM for low, high in ranges)
    assert all(any(low <= bpm <= high for low, high in ranges) for bpm in range(20, 301))


def test_the_longest_term_wins_and_punctuation_parts_terms():
    def terms(text):
        return [text[slice(*match.span)] for match in find(tokenize(text))]

    assert terms("slow string ensemble and bass clarinet") == ["slow string ensemble", "bass clarinet"]
    assert terms("slow, string ensemble; bass. Clarinet") == ["slow", "string ensemble", "bass", "Clarinet"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("saxaphone, guitarr and violen", ["tenor saxophone", "nylon-string guitar", "violin"]),
        ("pianoo with harpsicord", ["piano", "harpsichord"]),
        ("it was recorded according to harmonic corners, synthesized", []),
        ("the viola, a violent trumped plan", ["viola"]),
    ],
)
def test_a_misspelt_instrument_is_known_and_other_words_are_left_alone(text, names):
    assert [mention.name for mention in analyse(text).instruments] == names


@pytest.mark.parametrize("text", ["piano, vibes and bass", "vibes solo", "played on the vibes", "bass and vibes"])
def test_vibes_without_an_adjective_are_a_vibraphone(text):
    assert "vibraphone" in [mention.name for mention in analyse(text).instruments]


@pytest.mark.parametrize(("text", "mood"), [("a playfull tune", "playful"), ("happy vibes", "joyful")])
def test_a_mood_is_known_with_an_l_too_many_and_before_vibes(text, mood):
    assert [label.name for label in analyse(text).moods] == [mood]


@pytest.mark.parametrize(
    ("text", "genres"),
    [
        ("the chords Ebm and Gb", []),
        ("an EBM track", ["electronic"]),
        ("a ii-V-I progression", []),
        ("ska punk", ["rock"]),
        ("deathmetal", ["rock"]),
    ],
)
def test_genres_and_what_looks_like_them(text, genres):
    assert [label.name for label in analyse(text).genres] == genres


def test_a_misspelling_is_less_sure_than_a_name():
    (wrong,), (right,) = analyse("saxaphone").instruments, analyse("saxophone").instruments
    assert wrong.programs == right.programs
    assert wrong.confidence < right.confidence


def test_a_longer_term_has_the_genre_of_its_words_but_less_surely():
    (waltz,), (jazz,) = analyse("a jazz waltz").genres, analyse("jazz").genres
    assert (waltz.name, jazz.name) == ("jazz", "jazz")
    assert waltz.confidence < jazz.confidence


@pytest.mark.parametrize(
    "text",
    [
        "an organ donor",
        "piano teacher",
        "flute-like",
        "the bass player's",
        "inner voices",
        "sunny, carefree vibes",
        "lofi with chill vibes",
        "a fugue for 3 voices",
        "FM radio",
    ],
)
def test_a_phrase_and_a_likeness_name_no_instrument(text):
    assert analyse(text).instruments == ()
