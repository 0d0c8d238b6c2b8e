import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.text.analyse import analyse
from amt_ray.text.clean import tokenize
from amt_ray.text.contradictions import contradictions
from amt_ray.text.denial import denied_matches
from amt_ray.text.lexicon import find


def contradictions_of(text):
    tokens = tokenize(text)
    matches = find(tokens)
    denied = denied_matches(text, tokens, matches)
    stated = [match for match in matches if match not in denied]
    return contradictions(text, tokens, stated, [match for match in matches if match in denied], analyse(text))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a slow march at 190 bpm", 'The tempo is stated twice: "slow" (40-80 BPM) and "190 bpm"; 190 BPM was taken.'),
        ("60 bpm, piano, 140 bpm", 'The tempo is stated twice: "60 bpm" and "140 bpm"; 60 BPM was taken.'),
        ("for oboe, Largo, presto", 'The tempo is stated twice: "Largo" and "presto"; 40-60 BPM was taken.'),
        ("D major in F minor", 'The key is stated twice: "D major" and "F minor"; F minor was taken.'),
        ("minor key, in F major", 'The mode is stated twice: "F major" and "minor key"; F major was taken.'),
        ("a waltz in 4/4", 'The metre is stated twice: "waltz" (3/4) and "4/4"; 4/4 was taken.'),
        ("in 3/4, 4/4, for harp", 'The metre is stated twice: "3/4" and "4/4"; 3/4 was taken.'),
        ("8 bars, 24 bars", 'The length is stated twice: "8 bars" and "24 bars"; 8 bars was taken.'),
        ("16 bars at 120 bpm, 3 minutes", '"16 bars" at 120 BPM last 16-32 seconds, not "3 minutes"; 16 bars was taken.'),
        ("8 bars of 3/4, 90 bpm, 2 minutes", '"8 bars" at 90 BPM last 16 seconds, not "2 minutes"; 8 bars was taken.'),
        ("no harp, a soft harp", 'An instrument is wanted ("harp") and denied ("harp"); the denial was taken.'),
        ("jazz guitar, no guitars", 'An instrument is wanted ("jazz guitar") and denied ("guitars"); the denial was taken.'),
        ("solo harp with cello", '"solo harp" plays alone and with "cello"; both were taken.'),
        ("harp only, with cello", '"harp only" plays alone and with "cello"; both were taken.'),
        ("a joyful, deeply mournful air", 'The mood is stated twice: "joyful" and "mournful"; both were taken.'),
    ],
)  # fmt: skip
def test_both_statements_are_quoted_and_what_was_taken_is_named(text, sentence):
    assert contradictions_of(text) == (sentence,)


@pytest.mark.parametrize(
    "text",
    [
        "A piece in C major. The key is D minor.",
        "A slow tempo with harp. The tempo is fast.",
        "80-100 bpm, tempo 150",
        "a polka in 3/4",
        "a five-second song that lasts 4 minutes",
        "a monophonic piece with block chords",
        "sparse, dense texture",
    ],
)
def test_other_contradictions(text):
    assert len(contradictions_of(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "", "a slow piece at 70 bpm", "a slow piece at 90 bpm", "from 60 bpm to 140 bpm", "first 60 bpm, then 140 bpm",
        "80-100 bpm, tempo 105", "from slow to fast", "slow, then fast", "alternating slow and fast", "slow-fast-slow",
        "Adagio, Allegro, Presto", "a slow tempo with a fast guitar solo", "slow drums and a fast harp",
        "from C major to D minor", "C major. Then it moves to D minor", "C major or D minor", "chords: C major, D minor",
        "in a minor key, A minor", "C major; its relative minor key", "3/4 alternating with 4/4", "4/4 + 3/4",
        "a waltz in 6/8", "8 bars of intro, 16 bars of verse", "16 bars at 120 bpm, a minute",
        "harp without harp solo", "no drums until the chorus, then drums", "acoustic guitar, no electric guitar",
        "solo violin with orchestra", "solo violin with piano accompaniment", "a guitar solo with drums",
        "only harp and cello", "a monophonic synth lead with block chords", "joyful but mournful", "joyful and mournful",
        "calm, joyful", "sparse verse, dense chorus", "no violin, no harp",
        "clarinet in B-flat, horn in F", "16 bars at 120 bpm, 20 seconds",
        "8 bars of harp. 16 bars of cello", "The loop is 10 seconds. It plays for 4 minutes",
        "hi-hats, no drums", "3 min 20 s",
        "not only harp with cello", "solo harp with soft harp", "passionate, emotional harp",
        "a unison song with block chords",
    ],
)  # fmt: skip
def test_no_false_alarm(text):
    assert contradictions_of(text) == ()


def test_statements_far_apart_do_not_meet():
    assert contradictions_of("It is in C major. " + "The harp plays on. " * 12 + "It is in D minor.") == ()


@given(st.text(alphabet="CDm 34/6,.no\nbpsluw", max_size=80))
def test_any_text_is_read(text):
    assert all(sentence.endswith("taken.") for sentence in contradictions_of(text))


@pytest.mark.parametrize(
    "text",
    ["slow fast, " * 4_000, "no harp, harp. " * 3_000, "3/4 4/4 " * 4_000, "solo harp with " * 4_000, "\n" * 50_000],
)
def test_long_texts_have_few_contradictions(text):
    assert len(contradictions_of(text)) <= 20
