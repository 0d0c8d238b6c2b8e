import pytest

from amt_ray.text.analyse import analyse
from amt_ray.text.facts import Fact, facts_of, stated


def texts(slot, features, **metadata):
    return [wording.text for wording in facts_of(features, metadata).wordings.get(slot, ())]


def test_an_unsure_key_is_not_named():
    assert texts("key", {"key": "G minor", "key_confidence": 0.59}) == []
    assert texts("key", {"key": "F# minor", "key_confidence": 0.6}) == [
        "F# minor",
        "F-sharp minor",
        "F sharp minor",
        "F♯ minor",
    ]


@pytest.mark.parametrize(
    ("duration_s", "wordings"),
    [
        (4.9, set()),
        (12.4, {"10 seconds"}),
        (89, {"90 seconds"}),
        (100, {"1 minute and a half", "one minute and a half"}),
        (125, {"2 minutes", "two minutes"}),
        (1510, {"25 minutes"}),
        (9000, set()),
    ],
)
def test_lengths_are_rounded(duration_s, wordings):
    plain = {text for text in texts("length", {"duration_s": duration_s}) if not text.startswith(("about", "roughly"))}
    assert plain == wordings


def test_a_tempo_that_changes_is_an_average_and_a_metre_that_changes_holds_mostly():
    changing = {"tempo_bpm": 90.2, "n_tempo_changes": 3, "time_signature": "4/4", "n_time_signature_changes": 3}
    assert "90 BPM on average" in texts("bpm", changing)
    assert texts("metre", changing) == ["mostly 4/4"]
    steady = {"tempo_bpm": 90.2, "n_tempo_changes": 2, "time_signature": "4/4", "n_time_signature_changes": 2}
    assert "90 BPM" in texts("bpm", steady)
    assert texts("metre", steady) == ["4/4"]


def test_italian_terms_are_markings_and_english_ones_adjectives():
    assert {"Largo", "Lento", "Adagio"} <= set(texts("marking", {"tempo_bpm": 58.0}))
    assert "slow" in texts("tempo", {"tempo_bpm": 58.0})
    assert "Largo" not in texts("tempo", {"tempo_bpm": 58.0})


def test_a_single_line_has_no_chords():
    piece = {"chords": ["C", "G"], "progression": "I V I V"}
    assert texts("chords", {**piece, "polyphony": "poly"}) == ["C and G", "C, G"]
    assert texts("chords", {**piece, "polyphony": "mono"}) == texts("progression", {**piece, "polyphony": "mono"}) == []


@pytest.mark.parametrize("title", ["Waltz in D minor", "Presto", "No Piano", "Fugue", "Guitar Song", "120 bpm"])
def test_a_title_that_claims_what_the_features_deny_is_left_out(title):
    piece = {"key": "C major", "key_confidence": 0.9, "tempo_bpm": 90.0, "polyphony": "homo", "programs": [0]}
    assert texts("title", piece, artist="Mira Tal", title=title) == []
    assert texts("artist", piece, artist="Mira Tal", title=title) == ["Mira Tal"]


def test_a_title_that_says_what_the_features_say_is_kept():
    piece = {"tempo_bpm": 120.0, "time_signature": "3/4", "programs": [40, 0]}
    assert texts("title", piece, artist="Mira Tal", title="Violin Waltz") == ["Violin Waltz"]


@pytest.mark.parametrize("artist", ["Traditional", "anonymous", "", None, "x" * 61])
def test_nobody_is_no_artist(artist):
    assert texts("artist", {}, artist=artist, title="Evening") == texts("title", {}, artist=artist, title="Evening") == []


def test_genres_are_said_as_people_say_them():
    assert texts("genre", {}, genre="Romantic") == ["Romantic-era", "Romantic-period"]
    assert texts("genre", {}, genre="other") == texts("style", {}, genre="other") == []
    assert texts("genre_noun", {}, genre="art song") == ["art song"]
    assert "track" in texts("noun", {}, genre="rock")
    assert "track" not in texts("noun", {}, genre="baroque")


def test_a_name_that_may_mean_another_instrument_of_the_piece_is_not_used():
    alone, beside = (facts_of({"programs": programs}, {}).instruments[0] for programs in ([0], [0, 1]))
    assert {name.text for name in alone} == {"piano", "grand piano"}
    assert {name.text for name in beside} == {"piano"}


def test_only_a_piece_for_one_instrument_is_for_it_alone():
    assert texts("solo", {"programs": [73]}) == ["flute alone"]
    assert "solo piano" in texts("solo", {"programs": [0]})
    assert texts("solo", {"programs": [0, 40]}) == []


def test_what_an_analysis_states_are_facts():
    read = stated(analyse("A sad folk tune in G minor, 6/8, at 92 bpm, for fiddle, 16 bars, with the chords Gm and D7"))
    assert read == {
        Fact("mood", "melancholic"),
        Fact("genre", "folk"),
        Fact("key", "G minor"),
        Fact("metre", "6/8"),
        Fact("bpm", 92),
        Fact("instrument", 110),
        Fact("bars", 16),
        Fact("chords", ("Gm", "D7")),
    }


@pytest.mark.parametrize(
    ("notes_per_beat", "density"), [(1.4, "sparse"), (1.5, None), (8.0, None), (8.1, "dense"), (float("nan"), None)]
)
def test_few_and_many_notes_a_beat_are_said(notes_per_beat, density):
    said = {
        fact
        for way in facts_of({"density_notes_per_beat": notes_per_beat}, {}).wordings.get("density", ())
        for fact in way.facts
    }
    assert said == ({Fact("density", density)} if density else set())
