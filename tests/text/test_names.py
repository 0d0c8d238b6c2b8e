import pytest

from amt_ray.text.clean import tokenize
from amt_ray.text.labels import GENRES
from amt_ray.text.lexicon_files import read_rows
from amt_ray.text.names import find_names, fold, genre_by_name


def names(text):
    return [naming.name for naming in find_names(text, tokenize(text))]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Chopin nocturne", "Chopin"), ("chopin nocturne", "Chopin"), ("Frédéric Chopin", "Chopin"),
        ("Frederic Chopin", "Chopin"), ("a fugue like J.S. Bach", "Bach"), ("Bach's cello suites", "Bach"),
        ("Hans Zimmer drums", "Hans Zimmer"), ("Joe Hisaishi piano", "Joe Hisaishi"), ("daft punk house", "Daft Punk"),
        ("Beatlesque pop", "Beatles"), ("Mozartean grace", "Mozart"), ("Chopin-esque", "Chopin"), ("Bachian", "Bach"),
        ("Coltranesque", "John Coltrane"), ("à la Ravel", "Ravel"), ("Dvorak strings", "Dvořák"),
        ("Earth, Wind & Fire horns", "Earth, Wind & Fire"), ("riffs by AC/DC", "AC/DC"),
        ("Rachmaninov chords", "Rachmaninoff"), ("ABBA", "ABBA"), ("like Debussy", "Debussy"),
    ],
)  # fmt: skip
def test_names_and_their_forms(text, name):
    assert names(text) == [name]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("arpeggios like Glass", "Philip Glass"), ("Philip Glass arpeggios", "Philip Glass"), ("a song by Queen", "Queen"),
        ("in the style of the Doors", "The Doors"), ("by Prince", "Prince"), ("Glass-like arpeggios", "Philip Glass"),
        ("in the style of queen", "Queen"), ("sounds like Rush", "Rush"), ("the band Genesis", "Genesis"),
    ],
)  # fmt: skip
def test_english_words_are_names_after_a_cue(text, name):
    assert names(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "", "glass harp", "Glass harp", "The doors open", "a rush of drums", "Yes, please", "police siren", "like glass",
        "in the style of cash crops", "God save the Queen", "a brown eagle", "eagles and cream", "genesis of a theme",
        "an Italian arabesque", "Christian hymns", "British",
    ],
)  # fmt: skip
def test_english_words_are_no_names_otherwise(text):
    assert names(text) == []


def test_a_cue_holds_for_a_list_of_names():
    assert names("like Kate Bush and Queen") == ["Kate Bush", "Queen"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("in the style of Kestrel Lane, slow", "Kestrel Lane"),
        ("reminiscent of Johanna van der Zorb and others", "Johanna van der Zorb"),
        ("inspired by the Quuxians", "Quuxians"),
        ("sounds like Zorbwick's first record", "Zorbwick"),
    ],
)
def test_an_unknown_name_after_a_strong_cue_is_less_sure(text, name):
    (naming,) = find_names(text, tokenize(text))
    assert naming.name == name
    assert naming.confidence < 0.5


@pytest.mark.parametrize(
    "text", ["In The Style Of Things", "in the style of Jazz", "inspired by rain", "like Zorbwick", "by Anna"]
)
def test_no_unknown_name_without_a_strong_cue_in_plain_text(text):
    assert names(text) == []


def test_every_genre_of_the_table_is_a_label_and_no_name_stands_twice():
    hints = [row["hint"] for row in read_rows("composers")]
    assert set(genre_by_name().values()) <= set(GENRES)
    assert len(set(hints)) == len(hints) >= 400


def test_accents_case_and_genitive_are_folded():
    assert [fold(word) for word in ("Dvořák's", "GÓRECKI", "Guðnadóttir", "søren")] == [
        "dvorak",
        "gorecki",
        "gudnadottir",
        "soren",
    ]


@pytest.mark.parametrize("text", ["inspired by " * 10_000, "Bach " * 10_000, "like Queen " * 10_000, "A" * 500_000])
def test_long_texts_are_read_to_their_end(text):
    namings = find_names(text, tokenize(text))
    assert len(namings) == text.count("Bach ") + text.count("Queen ")
