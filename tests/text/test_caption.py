import string

from hypothesis import given
from hypothesis import strategies as st

from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.midi.keys import KEYS
from amt_ray.text.analyse import analyse
from amt_ray.text.caption import captions
from amt_ray.text.notation import TIME_SIGNATURES

_NAMES = (
    "Jazz|Reel|Techno|Waltz in D minor|Piano Sonata|No|Chamber|Without|The Drums|120 bpm|Power ballad|Joseph Haydn|A|"
    "Fugue|very|Game"
)
names = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(_NAMES.split("|")))
features = st.fixed_dictionaries(
    {},
    optional={
        "duration_s": st.floats(0, 5000),
        "programs": st.lists(st.integers(0, 128), unique=True, max_size=9),
        "tempo_bpm": st.one_of(st.none(), st.floats(4, 1000), st.floats(40, 220)),
        "time_signature": st.sampled_from([*TIME_SIGNATURES, "3/4", "17/16", "", None]),
        "key": st.sampled_from([*KEYS, "", None]),
        "key_confidence": st.floats(0, 1),
        "polyphony": st.sampled_from(["mono", "homo", "poly", "", None]),
        "density_notes_per_beat": st.one_of(st.none(), st.floats(0, 50)),
        "n_bars": st.integers(0, 500),
        "artist": names,
        "title": names,
        "genre": names,
    },
)


@given(features, st.text(string.hexdigits, min_size=4, max_size=8))
def test_what_a_caption_states_is_read_back(piece, seed):
    texts = captions(piece, seed)
    assert 2 <= len(texts) == len(set(texts)) <= 3
    for text in texts:
        read = analyse(text)
        assert read.key in {None, piece.get("key")}, text
        assert read.time_signature in {None, piece.get("time_signature")}, text
        assert read.polyphony in {None, piece.get("polyphony")}, text
        assert read.bars in {None, piece.get("n_bars")}, text
        assert read.excluded_instruments == (), text
        if read.tempo_bpm is not None:
            assert abs(read.tempo_bpm - piece["tempo_bpm"]) <= 0.5, text
        if read.tempo_range_bpm is not None:
            low, high = read.tempo_range_bpm
            assert low <= piece["tempo_bpm"] <= high, text
        played = [mention.programs[0] for mention in read.instruments]
        assert sorted(played) in ([], sorted(piece.get("programs", [])[:5])), text


@given(st.sampled_from(KEYS), st.sampled_from(TIME_SIGNATURES), st.integers(20, 300), st.integers(0, 10**6))
def test_together_the_captions_state_everything_that_is_sure(key, metre, bpm, seed):
    piece = {"key": key, "key_confidence": 0.9, "time_signature": metre, "tempo_bpm": float(bpm), "programs": [40, 128, 0]}
    read = [analyse(text) for text in captions(piece, str(seed))]
    assert {one.key for one in read} == {key}
    assert metre in {one.time_signature for one in read}
    assert any(one.tempo_range_bpm or one.tempo_bpm for one in read)
    assert {tuple(m.programs[0] for m in one.instruments) for one in read} == {(40, 0, 128)}


def test_captions_are_the_same_for_the_same_seed_and_vary_with_it():
    piece = {"key": "G minor", "key_confidence": 0.9, "time_signature": "6/8", "tempo_bpm": 120.0, "programs": [40, 41]}
    assert captions(piece, "abc") == captions(piece, "abc")
    assert len({tuple(captions(piece, str(seed))) for seed in range(20)}) > 10


def test_an_unsure_key_is_not_named():
    piece = {"key": "G minor", "key_confidence": 0.59}
    assert all(analyse(text).key is None for seed in range(20) for text in captions(piece, str(seed)))


def test_a_prompt_as_a_person_types_it():
    piece = {"key": "D minor", "key_confidence": 0.9, "programs": [0], "tempo_bpm": 70.0}
    prompts = {text for seed in range(200) for text in captions(piece, str(seed))}
    assert "slow piano piece in D minor" in prompts


def test_at_most_five_instruments_are_named_and_drums_come_last():
    for seed in range(10):
        sentence = captions({"programs": [128, 0, 33, 40, 41, 42]}, str(seed))[0]
        assert "for piano, electric bass, violin, viola and drums" in sentence
        assert INSTRUMENTS[42] not in sentence


def test_a_title_that_contradicts_the_music_is_left_out():
    piece = {"title": "Waltz in D minor", "artist": "Someone", "key": "C major", "key_confidence": 0.9}
    texts = [text for seed in range(40) for text in captions(piece, str(seed))]
    assert not any("D minor" in text for text in texts)
    assert any("Someone" in text for text in texts)


def test_nothing_known_still_gives_captions():
    assert captions({}, "a") == captions({"key": None, "programs": [], "genre": ""}, "a")


def test_a_slow_piece_for_strings_is_not_a_piece_for_slow_strings():
    piece = {"programs": [48], "tempo_bpm": 60.0}
    read = {m.name for seed in range(100) for text in captions(piece, str(seed)) for m in analyse(text).instruments}
    assert read == {"string ensemble"}
