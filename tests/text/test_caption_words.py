import pytest

from amt_ray.midi.instruments import N_PROGRAMS
from amt_ray.text.analyse import analyse
from amt_ray.text.caption_words import Slot, is_piece, nouns_of, plans, topic_of, words_for
from amt_ray.text.facts import Fact, stated
from amt_ray.text.labels import MOODS
from amt_ray.text.lexicon import tempo_words
from amt_ray.text.notation import TIME_SIGNATURES

FORMS = ("opening", "sentence", "origin", "prompt")


@pytest.mark.parametrize("program", range(N_PROGRAMS))
def test_every_name_of_an_instrument_is_read_as_that_program(program):
    names = words_for("instrument", str(program))
    assert names
    for name in names:
        assert [mention.programs[0] for mention in analyse(name).instruments] == [program], name


@pytest.mark.parametrize("kind", ["mood", "texture", "texture_adjective", "density", "metre"])
def test_every_word_is_read_as_its_value_and_nothing_else(kind):
    values = [*MOODS, "mono", "homo", "poly", "sparse", "dense", *TIME_SIGNATURES]
    words = {(value, word) for value in values for word in words_for(kind, value)}
    assert words
    for value, word in words:
        read = {fact for fact in stated(analyse(f"it is {word}")) if fact.kind != "mood" or kind != "mood"}
        moods = [mood.name for mood in sorted(analyse(word).moods, key=lambda mood: -mood.confidence)]
        assert (
            (moods[0] == value and not read) if kind == "mood" else read == {Fact(kind.removesuffix("_adjective"), value)}
        ), word


def test_tempo_words_are_read_as_their_range():
    for word, bounds in tempo_words(True).items():
        assert Fact("tempo", bounds) in stated(analyse(f"the pace is {word}")), word


@pytest.mark.parametrize("form", FORMS)
def test_no_plan_speaks_of_a_topic_twice(form):
    for plan in plans(form):
        slots = [part.name for part in plan.parts if isinstance(part, Slot)]
        topics = [topic_of(slot) for slot in slots if slot not in {"lead", "others"}]
        assert len(topics) == len(set(topics)), plan


@pytest.mark.parametrize("form", FORMS)
def test_no_plan_says_anything_about_music_by_itself(form):
    for plan in plans(form):
        for choice in range(3):
            words = [
                "so" if isinstance(part, Slot) else part if isinstance(part, str) else part[choice % len(part)]
                for part in plan.parts
            ]
            assert stated(analyse("".join(words))) == set(), plan


def test_plans_are_many():
    assert {form: len(plans(form)) >= least for form, least in zip(FORMS, (40, 60, 4, 30), strict=True)} == dict.fromkeys(
        FORMS, True
    )


def test_a_genre_may_be_the_name_of_a_piece():
    assert is_piece("art song")
    assert not is_piece("rock")
    assert nouns_of("hip-hop")[0] == "track"
    assert nouns_of("")[0] == "piece"
