import random
import re
import string

from hypothesis import given
from hypothesis import strategies as st

from amt_ray.midi.keys import KEYS
from amt_ray.text.analyse import analyse
from amt_ray.text.caption import FORMS, caption, captions, compose
from amt_ray.text.facts import Fact, facts_of, stated
from amt_ray.text.notation import TIME_SIGNATURES

_NAMES = (
    "Jazz|Reel|Techno|Waltz in D minor|Piano Sonata|No|Chamber|Without|The Drums|120 bpm|Power ballad|Joseph Haydn|A|"
    "Fugue|very|Game|Allegretto|Solo|only|Sad Song|string quartet|romantic|classical|art song|hiphop|march|folk|rock"
)
CHORDS = ["C", "Am", "F#m7", "Bbmaj7", "Caug", "Bdim", "G7", "Ebm7b5", "Cb", "D#dim7", "A"]
# A name may itself have a stop after a space; it would look like ours.
_words = st.text(string.ascii_letters + " .,'-&", max_size=12).filter(lambda name: not re.search(r"(?:^|\s)[.,]", name))
names = st.one_of(st.none(), _words, st.sampled_from(_NAMES.split("|")))
metadata = st.fixed_dictionaries({}, optional={"artist": names, "title": names, "genre": names})
features = st.fixed_dictionaries(
    {},
    optional={
        "duration_s": st.one_of(st.floats(0, 1000), st.floats(0, 20000)),
        "programs": st.lists(st.integers(0, 128), unique=True, max_size=12),
        "tempo_bpm": st.one_of(st.none(), st.floats(4, 1000), st.floats(40, 220)),
        "n_tempo_changes": st.integers(0, 5),
        "time_signature": st.sampled_from([*TIME_SIGNATURES, "3/4", "17/16", "", None]),
        "n_time_signature_changes": st.integers(0, 5),
        "key": st.sampled_from([*KEYS, "", None]),
        "key_confidence": st.floats(0, 1),
        "polyphony": st.sampled_from(["mono", "homo", "poly", "", None]),
        "density_notes_per_beat": st.one_of(st.none(), st.floats(0, 50)),
        "velocity_mean": st.floats(1, 127),
        "velocity_std": st.floats(0, 40),
        "pitch_min": st.integers(20, 50),
        "pitch_max": st.integers(50, 100),
        "n_bars": st.integers(0, 500),
        "chords": st.lists(st.sampled_from(CHORDS), unique=True, max_size=8),
        "progression": st.sampled_from([None, "I V vi IV", "i VII VI V", "I bII #iv° III+", "#vii° i iv V"]),
    },
)
WALTZ = {
    "key": "D minor",
    "key_confidence": 0.9,
    "time_signature": "3/4",
    "tempo_bpm": 84.0,
    "density_notes_per_beat": 1.6,
    "programs": [42, 0],
    "polyphony": "homo",
    "duration_s": 120.0,
    "n_bars": 56,
    "chords": ["Dm", "A7", "Gm"],
    "progression": "i iv V i",
}
SONG = {"artist": "Mira Tal", "title": "Evening by the Canal", "genre": "folk"}


@given(features, metadata, st.sampled_from(FORMS), st.integers(0, 10**6))
def test_what_a_caption_states_is_read_back_and_nothing_else(piece, song, form, seed):
    written = compose(facts_of(piece, song), form, random.Random(seed))
    read = stated(analyse(written.text))
    assert written.facts - read == set(), written.text
    assert read - written.facts - written.implied == set(), written.text


@given(features, metadata, st.integers(0, 10**6))
def test_what_a_caption_states_is_true_of_the_piece(piece, song, seed):
    for form in FORMS:
        for fact in compose(facts_of(piece, song), form, random.Random(seed)).facts:
            match fact.kind:
                case "instrument":
                    assert fact.value in piece["programs"]
                case "key":
                    assert fact.value == piece["key"]
                case "metre":
                    assert fact.value == piece["time_signature"]
                case "texture":
                    assert fact.value == piece["polyphony"]
                case "bpm":
                    assert abs(fact.value - piece["tempo_bpm"]) <= 0.5
                case "tempo":
                    assert fact.value[0] <= piece["tempo_bpm"] <= fact.value[1]
                case "bars":
                    assert fact.value == piece["n_bars"]
                case "exclusive":
                    assert len(piece["programs"]) == 1
                case "chords":
                    assert list(fact.value) == piece["chords"][: len(fact.value)]
                case "progression":
                    assert " ".join(fact.value) == piece["progression"]


@given(features, metadata, st.text(string.hexdigits, min_size=4, max_size=8))
def test_captions_are_different_well_formed_and_the_same_for_a_seed(piece, song, seed):
    texts = captions(piece, song, seed)
    assert texts == captions(piece, song, seed)
    assert 3 <= len(texts) == len(set(texts)) <= 4
    for text in texts:
        assert text
        assert not re.search(r"[{}|~]|  | [.,;]|\bNone\b", text.replace("|", "") if "|" in str(song) else text), text


@given(st.sampled_from(KEYS), st.sampled_from(TIME_SIGNATURES[2:]), st.integers(20, 290), st.integers(0, 10**6))
def test_the_full_caption_says_everything(key, metre, bpm, seed):
    piece = {**WALTZ, "key": key, "time_signature": metre, "tempo_bpm": float(bpm), "density_notes_per_beat": 9.0}
    facts = compose(facts_of(piece, SONG), "full", random.Random(seed)).facts
    exactly = {
        Fact("key", key),
        Fact("metre", metre),
        Fact("bpm", bpm),
        Fact("instrument", 42),
        Fact("instrument", 0),
        Fact("texture", "homo"),
        Fact("density", "dense"),
        Fact("bars", 56),
        Fact("chords", ("Dm", "A7", "Gm")),
        Fact("progression", ("i", "iv", "V", "i")),
        Fact("genre", "folk"),
    }
    assert exactly <= facts
    assert {"tempo", "length"} <= {fact.kind for fact in facts}


def test_wording_varies():
    openings = {captions(WALTZ, SONG, str(seed))[0][:30] for seed in range(100)}
    assert len(openings) > 60
    assert len({text for seed in range(100) for text in captions(WALTZ, SONG, str(seed))}) > 350


def test_caption_is_one_of_the_forms_by_its_rng():
    texts = [caption(WALTZ, SONG, random.Random(seed)) for seed in range(40)]
    assert texts == [caption(WALTZ, SONG, random.Random(seed)) for seed in range(40)]
    assert {text.endswith(".") for text in texts} == {True, False}
    lengths = [len(text) for text in texts]
    assert min(lengths) < 60
    assert max(lengths) > 300


def test_a_prompt_as_a_person_types_it():
    facts = facts_of({"key": "D minor", "key_confidence": 0.9, "programs": [0], "tempo_bpm": 58.0}, {})
    prompts = {compose(facts, "prompt", random.Random(seed)).text for seed in range(1000)}
    assert any(re.fullmatch("slow (grand )?piano (piece|composition) in D minor", prompt) for prompt in prompts)


def test_a_prompt_for_a_waltz():
    facts = facts_of(WALTZ, {})
    prompts = {compose(facts, "prompt", random.Random(seed)).text for seed in range(1000)}
    assert any(re.fullmatch("moderate(ly slow)? waltz (for|with) cello and (grand )?piano", prompt) for prompt in prompts)


def test_instruments_stand_in_order_of_prominence_and_drums_last():
    piece = {"programs": [128, 73, 40, 41, 42]}
    texts = [text for seed in range(40) for text in captions(piece, {}, str(seed))]
    enumerations = [text for text in texts if "flute, violin, viola" in text]
    assert len(enumerations) > 20
    for text in texts:
        assert not re.search(r"(drum|percussion).*(flute|violin|viola|cello)", text), text


def test_more_instruments_than_are_named_are_not_denied():
    piece = {"programs": list(range(40, 52))}
    texts = {captions(piece, {}, str(seed))[0] for seed in range(20)}
    assert any(" and others" in text for text in texts)


def test_a_slow_piece_for_strings_is_not_a_piece_for_slow_strings():
    piece = {"programs": [48], "tempo_bpm": 60.0}
    read = {
        m.programs[0] for seed in range(100) for text in captions(piece, {}, str(seed)) for m in analyse(text).instruments
    }
    assert read == {48}


def test_articles_go_by_sound():
    piece = {"tempo_bpm": 66.0, "progression": "ii V I vi", "key": "C major", "key_confidence": 0.9}
    texts = " ".join(text for seed in range(300) for text in captions(piece, {"genre": "electronic"}, str(seed)))
    assert "an electronic" in texts
    assert "A ii–V" in texts
    assert not re.search(r"\b[Aa] [aeou]|\b[Aa]n [^aeiouE]|\b[Aa]n ii", texts)


def test_nothing_known_still_gives_captions():
    assert captions({}, {}, "a") == captions({"key": None, "programs": []}, {"genre": ""}, "a")
