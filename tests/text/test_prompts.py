import json
import re
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.midi.keys import KEYS
from amt_ray.text.labels import GENRES, MOODS

TEMPO_SOURCE = (
    "https://instrument.bible/theory/rhythm/tempo/ and, for allegro moderato, "
    "https://theonlinemetronome.com/metronome-tempo-markings-defined.html; prestissimo ends at 208, "
    "the top of Maelzel's scale"
)
ITALIAN_BPM = {
    "grave": (25, 40),
    "largo": (40, 60),
    "lento": (45, 60),
    "larghetto": (60, 66),
    "adagio": (66, 76),
    "andante": (76, 108),
    "andantino": (80, 108),
    "moderato": (108, 120),
    "allegretto": (112, 120),
    "allegro moderato": (116, 120),
    "allegro": (120, 168),
    "vivace": (168, 176),
    "presto": (168, 200),
    "prestissimo": (200, 208),
}
SPANS_FROM_TO = {
    "very slow": ("grave", "lento"),
    "slow": ("largo", "adagio"),
    "not fast": ("grave", "moderato"),
    "walking pace": ("andante", "andante"),
    "not too slow": ("andante", "moderato"),
    "not too fast": ("andante", "moderato"),
    "mid-tempo": ("andante", "moderato"),
    "medium": ("andante", "moderato"),
    "moderate": ("andante", "moderato"),
    "moderately fast": ("allegretto", "allegretto"),
    "brisk": ("allegretto", "allegro"),
    "allegro ma non troppo": ("allegretto", "allegro"),
    "up-tempo": ("allegro", "allegro"),
    "fast": ("allegro", "presto"),
    "very fast": ("presto", "prestissimo"),
}
TEMPO_WORDS_BPM = ITALIAN_BPM | {word: (ITALIAN_BPM[a][0], ITALIAN_BPM[b][1]) for word, (a, b) in SPANS_FROM_TO.items()}

LISTS = ("instruments", "excluded_instruments", "genres", "moods", "chords", "style_hints")
RANGES = ("tempo_range_bpm", "duration_s")
FIELDS = (*LISTS, *RANGES, "instruments_exclusive", "key", "tempo_bpm", "tempo_word", "time_signature", "bars", "polyphony")
CLOSED = {"instruments": INSTRUMENTS, "excluded_instruments": INSTRUMENTS, "genres": GENRES, "moods": MOODS}
CHORD = re.compile(r"[A-G][#b]?(m|maj|dim|aug|sus)?\d*(b5)?(/[A-G][#b]?)?|[IViv]+")
MODE = re.compile(r"([A-G][#b]? )?(major|minor|ionian|dorian|phrygian|lydian|mixolydian|aeolian|locrian|pentatonic|blues)")
LINES = [json.loads(line) for line in (Path(__file__).parent / "prompts.jsonl").read_text(encoding="utf-8").splitlines()]
every_line = pytest.mark.parametrize("line", LINES, ids=[line["id"] for line in LINES])


def is_field_value(field, value):
    if field == "tempo_word":
        return value in TEMPO_WORDS_BPM
    if field in RANGES:
        return len(value) == 2 and 0 <= value[0] <= value[1]
    if field == "time_signature":
        return re.fullmatch(r"([1-9]|1[0-5])/(2|4|8|16)", value) is not None
    if field == "bars":
        return type(value) is int and 1 <= value <= 200
    allowed = {"key": KEYS, "polyphony": ("mono", "homo", "poly"), "instruments_exclusive": (True, False)}
    return value in allowed[field] if field in allowed else 20 <= value <= 300


def test_there_are_200_lines_with_ids_in_order_and_no_text_twice():
    assert [line["id"] for line in LINES] == [f"p-{i:03d}" for i in range(1, 201)]
    assert len({line["text"].casefold().strip() for line in LINES}) == 200


@every_line
def test_a_line_has_all_fields_and_no_others(line):
    assert set(line["labels"]) == set(FIELDS)
    assert {"id", "text", "labels", "also_ok"} <= set(line) <= {"id", "text", "labels", "also_ok", "mode", "contradictions"}
    assert set(line["also_ok"]) <= set(FIELDS)
    assert set(line.get("contradictions", [])) <= set(FIELDS)
    assert line["text"] == line["text"].strip() != ""


@every_line
def test_lists_hold_distinct_labels_of_the_closed_lists(line):
    for field in LISTS:
        values = line["labels"][field]
        assert field == "chords" or len(set(values)) == len(values)
        assert set(values) <= set(CLOSED.get(field, values))
    for field in ("instruments", "excluded_instruments", "genres"):
        assert set(line["also_ok"].get(field, [])) <= set(CLOSED[field])
    progressions = [line["labels"]["chords"], *line["also_ok"].get("chords", [])]
    assert [chord for chord in chain(*progressions) if not CHORD.fullmatch(chord)] == []
    assert "mode" not in line or MODE.fullmatch(line["mode"])


@every_line
def test_other_labels_are_well_formed_or_null(line):
    for field in set(FIELDS) - set(LISTS):
        values = [line["labels"][field], *line["also_ok"].get(field, [])]
        assert [v for v in values if v is not None and not is_field_value(field, v)] == []
    assert isinstance(line["labels"]["instruments_exclusive"], bool)


@every_line
def test_what_is_also_right_differs_from_the_label(line):
    for field, values in line["also_ok"].items():
        label = line["labels"][field]
        assert values
        assert label not in values
        assert field not in LISTS or field == "chords" or not set(values) & set(label)


@every_line
def test_a_tempo_word_stands_with_its_range_unless_the_text_gives_figures(line):
    labels = line["labels"]
    if labels["tempo_bpm"] is not None:
        assert labels["tempo_range_bpm"] is None
    elif labels["tempo_word"] is not None:
        assert tuple(labels["tempo_range_bpm"]) == TEMPO_WORDS_BPM[labels["tempo_word"]]


@every_line
def test_no_instrument_is_asked_for_and_excluded_unless_the_text_contradicts_itself(line):
    both = set(line["labels"]["instruments"]) & set(line["labels"]["excluded_instruments"])
    assert not both or "excluded_instruments" in line["contradictions"]


@pytest.mark.parametrize("field", FIELDS)
def test_every_kind_of_label_occurs_15_times(field):
    assert sum(bool(line["labels"][field]) for line in LINES) >= 15


def test_modes_contradictions_and_texts_without_any_label_occur():
    assert sum("mode" in line for line in LINES) >= 15
    assert sum("contradictions" in line for line in LINES) >= 9
    assert sum(not any(line["labels"].values()) for line in LINES) >= 12


@pytest.mark.parametrize(("field", "closed"), [("genres", GENRES), ("moods", MOODS)])
def test_every_genre_and_mood_occurs_twice(field, closed):
    counts = Counter(chain.from_iterable(line["labels"][field] for line in LINES))
    assert {label: counts[label] for label in closed if counts[label] < 2} == {}


def test_every_tempo_word_with_a_range_is_used():
    words = {w for line in LINES for w in (line["labels"]["tempo_word"], *line["also_ok"].get("tempo_word", []))}
    assert words - {None} == set(TEMPO_WORDS_BPM)


def test_ten_texts_of_encyclopaedic_prose_have_60_to_150_words():
    assert [line["id"] for line in LINES[-10:] if not 60 <= len(line["text"].split()) <= 150] == []
