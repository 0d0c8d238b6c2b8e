import math

import pytest

from amt_ray.errors import RequestError
from amt_ray.events.vocabulary import TIME_SIGNATURE
from amt_ray.generation.request import MOST_BARS, new_request, plan
from amt_ray.midi.instruments import DRUMS
from amt_ray.text.labels import GENRES, MOODS
from amt_ray.text.notation import TIME_SIGNATURES


def controls_of(text="music", style=None, **options):
    return plan(new_request(text=text, **options), style).controls


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("text", "", "at least 1 character"),
        ("text", "  \n", "a text with at least one word"),
        ("text", "x" * 10_001, "at most 10000 characters"),
        ("text", None, "valid string"),
        ("text", 7, "valid string"),
        ("seed", -1, "greater than or equal to 0"),
        ("seed", 2**63, "less than 9223372036854775808"),
        ("seed", "one", "valid integer"),
        ("temperature", 0, "greater than 0"),
        ("temperature", 5.1, "less than or equal to 5"),
        ("temperature", float("nan"), "less than or equal to 5"),
        ("top_k", 0, "greater than or equal to 1"),
        ("top_k", 513, "less than or equal to 512"),
        ("top_p", 0.0, "greater than 0"),
        ("top_p", 1.1, "less than or equal to 1"),
        ("max_tokens", 63, "greater than or equal to 64"),
        ("instruments", "violin", "valid tuple"),
        ("tempo_bpm", 9, "greater than or equal to 10"),
        ("tempo_bpm", 401, "less than or equal to 400"),
        ("tempo_bpm", float("inf"), "less than or equal to 400"),
        ("bars", 0, "greater than or equal to 1"),
        ("bars", MOST_BARS + 1, "less than or equal to 256"),
        ("tempo", 90, "one of the fields text, seed, "),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_field_value_and_range(field, value, allowed):
    with pytest.raises(RequestError) as caught:
        new_request(**({"text": "music"} | {field: value}))
    assert caught.value.args[0] == field
    assert caught.value.args[1] == repr(value)[:80]
    assert allowed in caught.value.args[2]


def test_a_request_without_text_is_refused():
    with pytest.raises(RequestError, match=r"^text: "):
        new_request(seed=1)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("instruments", ["trumpets of Jericho and", "x"], "a name such as violin, piano or drums, or a number 0 to 127"),
        ("instruments", ["128"], "a number 0 to 127"),
        ("instruments", ["1.5"], "a number 0 to 127"),
        ("instruments", ["9" * 5000], "a number 0 to 127"),
        ("instruments", ["²"], "a number 0 to 127"),
        ("instruments", ["-1"], "a number 0 to 127"),
        ("instruments", [""], "a number 0 to 127"),
        ("key", "H major", "a key such as D minor, F# major or Bb minor"),
        ("key", "none", "a key such as D minor, F# major or Bb minor"),
        ("time_signature", "5/8", ", ".join(TIME_SIGNATURE.names)),
        ("genre", "polka-core", ", ".join(GENRES)),
        ("mood", "hangry", ", ".join(MOODS)),
    ],
)
def test_an_option_that_names_nothing_known_is_refused(field, value, allowed):
    with pytest.raises(RequestError) as caught:
        controls_of(**{field: value})
    assert caught.value.args[0] == field
    assert allowed in caught.value.args[2]


TEXT = "a joyful jazz waltz for piano and flute in G major at 100 bpm, 8 bars"


def test_the_text_speaks_where_no_option_does():
    got = controls_of(TEXT, 5)
    assert (got.style, got.genre, got.mood, got.tempo_bpm, got.key) == (5, "jazz", "joyful", 100.0, "G major")
    assert (got.time_signature, got.programs, got.bars) == ("3/4", (0, 73), 8)


@pytest.mark.parametrize(
    ("option", "control"),
    [
        ({"tempo_bpm": 77.0}, {"tempo_bpm": 77.0}),
        ({"key": "D minor"}, {"key": "D minor"}),
        ({"key": "d minor"}, {"key": "D minor"}),
        ({"key": "A# major"}, {"key": "Bb major"}),
        ({"time_signature": "4/4"}, {"time_signature": "4/4"}),
        ({"bars": 2}, {"bars": 2}),
        ({"genre": "rock"}, {"genre": "rock"}),
        ({"mood": "dark"}, {"mood": "dark"}),
        ({"instruments": ["violin"]}, {"programs": (40,)}),
        ({"instruments": ["drums", " 13 ", "violin", "13"]}, {"programs": (DRUMS, 13, 40)}),
        ({"instruments": ["0", "127"]}, {"programs": (0, 127)}),
        ({"instruments": []}, {"programs": ()}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_an_explicit_option_wins_over_the_text_and_changes_nothing_else(option, control):
    assert vars(controls_of(TEXT, **option)) == vars(controls_of(TEXT)) | control


def test_nothing_stated_leaves_the_model_free():
    assert controls_of("music").stated() == []


def test_excluded_instruments_are_not_asked_for():
    got = plan(new_request(text="a song with flute, without drums and no piano"), None)
    assert got.controls.programs == (73,)
    assert {0, DRUMS} <= set(got.excluded_programs)
    assert 73 not in got.excluded_programs


def test_an_instrument_named_as_an_option_is_not_excluded_by_the_text():
    got = plan(new_request(text="a song without drums", instruments=["drums"]), None)
    assert (got.controls.programs, got.excluded_programs) == ((DRUMS,), ())


def test_only_a_tempo_in_figures_is_exact():
    assert plan(new_request(text="at 93 bpm"), None).exact_tempo_bpm == 93.0
    assert plan(new_request(text="at 93 bpm", tempo_bpm=61.5), None).exact_tempo_bpm == 61.5
    ranged = plan(new_request(text="between 80-100 bpm"), None)
    assert ranged.exact_tempo_bpm is None
    assert ranged.controls.tempo_bpm == pytest.approx(math.sqrt(80 * 100))


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("30 seconds", 15),
        ("30 seconds at 60 bpm", 8),
        ("30 seconds in 3/4", 20),
        ("30 seconds in 6/8 at 90 bpm", 15),
        ("30 seconds in 2/2", 15),
        ("half a second of 1 seconds", 1),
        ("60 minutes", MOST_BARS),
        ("30 seconds, 5 bars", 5),
    ],
)
def test_a_length_in_seconds_becomes_bars_of_the_tempo_and_metre(text, bars):
    assert controls_of(text).bars == bars


def test_every_metre_that_a_caption_can_state_has_an_event():
    assert set(TIME_SIGNATURES) <= set(TIME_SIGNATURE.names)


def test_of_a_church_mode_the_parallel_key_is_asked_for():
    assert controls_of("a folk tune in A dorian").key == "A minor"
    assert controls_of("music", key="D mixolydian").key == "D major"


def test_a_metre_that_the_event_language_lacks_is_refused_also_in_the_text():
    with pytest.raises(RequestError, match="11/8"):
        controls_of("a dance in 11/8")
    assert controls_of("a dance in 11/8", time_signature="7/8").time_signature == "7/8"


def test_the_same_request_is_the_same_plan():
    request = new_request(text=TEXT + ", no guitar, no drums, no brass")
    assert plan(request, 3) == plan(request, 3)
    assert list(plan(request, 3).excluded_programs) == sorted(plan(request, 3).excluded_programs)


@pytest.mark.parametrize(("text", "density"), [("sparse piano", 1.0), ("a dense fugue", 8.0), ("piano", None)])
def test_density_words_are_asked_for_as_captions_mean_them(text, density):
    assert controls_of(text).density_notes_per_beat == density


def test_of_several_labels_the_surest_that_the_model_knows_is_asked_for():
    controls = controls_of("like Chopin: a film ballad, a jazz tune, melancholic")
    assert (controls.genre, controls.mood) == ("jazz", "melancholic")
    assert controls_of("a film").mood is None
