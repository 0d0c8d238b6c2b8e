import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.midi.instruments import DRUMS, INSTRUMENTS
from amt_ray.midi.keys import KEYS
from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import Mention
from amt_ray.text.keys import nearest_key
from amt_ray.text.labels import GENRES, MOODS
from amt_ray.text.notation import is_time_signature

_WORDS = (
    "in |A minor |b|#|♯|3/4 |12| bpm|a |without |drums|, |or |slow |solo |ſ|İ|"
    "string ensemble |minutes|♩.|=|sixteen |-|bars |key of |\x00|😀|\ud800|no |piano |🎹|dorian |:|between |hundred |"
    "orchestra |except |and |are not used |dur |la mineur |2:30 |under |solo |at |not |sparse |two-part |/|(|less|"
)
FRAGMENTS = st.sampled_from(_WORDS.split("|"))


def programs(text):
    return [mention.programs[0] for mention in analyse(text).instruments]


def test_the_readme_sentence():
    analysis = analyse("A melancholic jazz ballad with piano and saxophone")
    assert analysis.cleaned == "melancholic jazz ballad piano saxophone"
    assert (analysis.n_chars_before, analysis.n_chars_after) == (50, 39)
    assert analysis.keywords == ("melancholic", "jazz", "ballad", "piano", "saxophone")
    assert [(label.name, label.span) for label in analysis.moods] == [("melancholic", (2, 13)), ("ballad", (19, 25))]
    surest = max(analysis.genres, key=lambda label: label.confidence)
    assert (surest.name, surest.span) == ("jazz", (14, 18))
    assert analysis.instruments == (
        Mention("piano", (0, 1, 2, 3), 0.95, (31, 36)),
        Mention("tenor saxophone", (66, 65, 64, 67), 0.9, (41, 50)),
    )
    assert analysis.tempo_range_bpm == (60.0, 90.0)
    assert analysis.evidence["tempo_range_bpm"].span == (19, 25)


@pytest.mark.parametrize(("program", "name"), list(enumerate(INSTRUMENTS)))
def test_every_general_midi_name_means_its_program_and_nothing_else(program, name):
    for text in (name, f"a piece for {name.upper()}.", name.replace("-", " ")):
        analysis = analyse(text)
        assert [m.programs[0] for m in analysis.instruments] == [program]
        assert analysis.instruments[0].name == name
        assert analysis.tempo_range_bpm is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two violins, cellos and double basses", [40, 42, 43]),
        ("sax", [66]),
        ("fiddle", [110]),
        ("guitar", [24]),
        ("electric and acoustic guitars", [27, 25]),
        ("bass guitar", [33]),
        ("a bass and drums", [33, DRUMS]),
        ("upright bass", [32]),
        ("bass clarinet", [71]),
        ("808", [DRUMS]),
        ("vocals over a synth pad", [53, 89]),
        ("strings", [48]),
        ("string quartet", [40, 41, 42]),
        ("power trio", [29, 33, DRUMS]),
        ("a slap bass solo, then the bass stops", [36]),
        ("fiddle and violin", [110, 40]),
        ("organic recorded pianissimo", []),
        ("🎹 and 🎻, 🎵🔥", [0, 40]),
        ("Klavier, Geige und Flöte", [0, 40, 73]),
        ("flûte et guitare", [73, 24]),
        ("tromba e violini", [56, 40]),
        ("Rhodes, B3 and a Strat", [4, 16, 27]),
        ("oud, cajon and erhu", [24, DRUMS, 110]),
        ("SATB choir", [52]),
        ("a motet for 4 voices", [53]),
        ("tin wistle, soft string stabs and drop-tuned guitars", [78, 48, 30]),
        ("jazz rhythm section", [0, 32, DRUMS]),
        ("Dixieland band", [56, 71, 57, 105, 58, DRUMS]),
        ("a bass player's mother, an organ donor and a bell curve", []),
        ("drum up support, harp on about it, no strings attached", []),
        ("the piano teacher has a flute-like voice", [53]),
        ("in different keys, played piano and forte", []),
    ],
)
def test_instruments(text, expected):
    assert programs(text) == expected


@pytest.mark.parametrize(
    ("text", "played", "excluded"),
    [
        ("everything but the drums", [], ["drums"]),
        ("rather than strings use a choir", ["choir"], ["string ensemble"]),
        ("I don't want drums; banjo, please", ["banjo"], ["drums"]),
        ("small but the drums are loud", ["drums"], []),
        ("piano without drums", ["piano"], ["drums"]),
        ("no guitar", [], ["nylon-string guitar"]),
        ("no drums or bass, piano only", ["piano"], ["drums", "electric bass"]),
        ("without any drums, bass or guitar", [], ["drums", "electric bass", "nylon-string guitar"]),
        ("no drums, piano", ["piano"], ["drums"]),
        ("Without words. Drums", ["drums"], []),
        ("string ensemble without brass but with harp", ["string ensemble", "harp"], ["brass section"]),
    ],
)
def test_what_is_not_wanted(text, played, excluded):
    analysis = analyse(text)
    assert [m.name for m in analysis.instruments] == played
    assert [m.name for m in analysis.excluded_instruments] == excluded


def test_denied_words_label_nothing():
    assert analyse("not sad, without a waltz").moods == ()
    assert analyse("not sad, without a waltz").time_signature is None


@pytest.mark.parametrize(
    ("text", "metre", "bounds"),
    [
        ("a waltz", "3/4", (80.0, 190.0)),
        ("a slow waltz", "3/4", (40.0, 80.0)),
        ("a waltz in 6/8", "6/8", (80.0, 190.0)),
        ("a jig", "6/8", (140.0, 220.0)),
        ("a lively reel", "4/4", (170.0, 240.0)),
        ("fast jazz, Prestissimo", None, (200.0, 300.0)),
        ("seven-eight time", "7/8", None),
        ("allegro, 80-90 bpm", None, (80.0, 90.0)),
    ],
)
def test_what_is_stated_wins_over_what_is_implied(text, metre, bounds):
    analysis = analyse(text)
    assert (analysis.time_signature, analysis.tempo_range_bpm) == (metre, bounds)


def test_stated_is_surer_than_implied():
    stated, implied = analyse("in 3/4").evidence, analyse("a waltz").evidence
    assert stated["time_signature"].confidence > implied["time_signature"].confidence


@given(st.one_of(st.text(), st.lists(FRAGMENTS, max_size=20).map("".join)))
def test_any_text_gives_values_of_the_closed_lists_and_json(text):
    analysis = analyse(text)
    json.dumps(dataclasses.asdict(analysis))
    assert analysis.key is None or nearest_key(analysis.key) in KEYS
    assert analysis.time_signature is None or is_time_signature(analysis.time_signature)
    assert analysis.density in {None, "sparse", "dense"}
    assert {label.name for label in analysis.moods} <= set(MOODS)
    assert {label.name for label in analysis.genres} <= set(GENRES)
    values = {
        "tempo_bpm",
        "tempo_range_bpm",
        "key",
        "mode",
        "time_signature",
        "bars",
        "duration_s",
        "polyphony",
        "chords",
        "density",
    }
    assert set(analysis.evidence) == {name for name in values if getattr(analysis, name) not in {None, ()}}
    everything = (
        *analysis.moods,
        *analysis.genres,
        *analysis.instruments,
        *analysis.excluded_instruments,
        *analysis.evidence.values(),
    )
    for label in everything:
        assert 0 < label.confidence <= 1
        assert 0 <= label.span[0] < label.span[1] <= len(text)


def test_what_follows_a_list_of_denied_instruments_is_not_denied():
    analysis = analyse("an orchestra without brass or flute, andante, in common time")
    assert analysis.tempo_range_bpm is not None
    assert analysis.time_signature == "4/4"


@pytest.mark.parametrize(
    ("text", "programs"),
    [
        ("no strings", {40, 42, 48, 50}),
        ("without bass", {32, 33, 38}),
        ("no Synths!", {80, 90, 62}),
        ("no guitars", {24, 30}),
    ],
)
def test_a_denied_family_is_all_of_it(text, programs):
    (excluded,) = analyse(text).excluded_instruments
    assert programs <= set(excluded.programs)


def test_a_denied_instrument_is_that_and_no_other():
    (excluded,) = analyse("without flute").excluded_instruments
    assert excluded.programs == (73,)


@pytest.mark.parametrize("unit", [" ", "9", "a", "1/", "forty-", "in a ", "without drums, ", "slow string "])
def test_a_long_text_says_what_a_short_one_says(unit):
    short, long = analyse(unit * 20), analyse(unit * 20_000)
    assert [m.name for m in long.instruments] == [m.name for m in short.instruments]
    assert [m.name for m in long.excluded_instruments] == [m.name for m in short.excluded_instruments]
    assert (long.tempo_bpm, long.tempo_range_bpm, long.bars) == (short.tempo_bpm, short.tempo_range_bpm, short.bars)


def test_everything_that_a_text_says_is_in_its_analysis():
    analysis = analyse("A sparse, sad waltz in 4/4 like Chopin, in a minor key")
    assert analysis.keywords[:2] == ("sparse", "sad")
    assert [hint.name for hint in analysis.style_hints] == ["Chopin", "waltz"]
    assert [(genre.name, genre.confidence) for genre in analysis.genres] == [("romantic", 0.5)]
    assert (analysis.mode, analysis.density) == ("minor", "sparse")
    assert (analysis.valence, analysis.arousal) == (-0.55, -0.45)
    assert analysis.contradictions == ('The metre is stated twice: "waltz" (3/4) and "4/4"; 4/4 was taken.',)


def test_the_surest_labels_come_first():
    genres = analyse("a ballad like Chopin, with some jazz").genres
    assert [genre.name for genre in genres] == ["jazz", "romantic", "pop"]
