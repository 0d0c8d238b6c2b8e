import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.text.clean import tokenize
from amt_ray.text.hints import find_hints, implied_genres
from amt_ray.text.lexicon_files import read_rows


def hints(text):
    return [hint.name for hint in find_hints(text, tokenize(text))]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("80s", "1980s"), ("the 80's", "1980s"), ("1980s", "1980s"), ("the eighties", "1980s"), ("mid-90s", "1990s"),
        ("the '20s", "1920s"), ("1920s", "1920s"), ("early 00s", "2000s"), ("19th-century", "19th century"),
        ("seventeenth century", "17th century"), ("the 21st century", "21st century"), ("fin de siècle", "fin de siècle"),
        ("fin de siecle", "fin de siècle"), ("late-Romantic", "late Romantic"), ("16-bit era", "16-bit"),
        ("golden age", "golden age"), ("Victorian", "Victorian"), ("Baroque", "Baroque"), ("medieval", "medieval"),
    ],
)  # fmt: skip
def test_eras(text, hint):
    assert hints(text) == [hint]


@pytest.mark.parametrize(
    "text", ["20s loop", "for 60s", "30s", "90s long", "80", "in his fifties", "5th century", "77th century"]
)
def test_figures_that_are_no_eras(text):
    assert hints(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("trap beat", ["trap"]), ("lo-fi", ["lofi"]), ("a jingle", ["jingle"]), ("etude", ["étude"]), ("Etüde", ["étude"]),
        ("sonata form", ["sonata form"]), ("twelve-bar blues", ["12-bar blues"]), ("bossa-nova", ["bossa nova"]),
        ("boom bap", ["boom bap"]), ("Tin Pan Alley", ["Tin Pan Alley"]), ("balkan brass", ["Balkan"]),
        ("West African kora", ["West African"]), ("Viennese waltz", ["Viennese waltz"]), ("French horn", []),
        ("English horn and French horns", []), ("jazz", []), ("symphony orchestra", []), ("trap, soul", ["trap"]),
        ("8 March 1842", []), ("in March", []), ("a march in March", ["march"]), ("reel-to-reel tape", []),
    ],
)  # fmt: skip
def test_subgenres_forms_and_regions(text, names):
    assert hints(text) == names


def test_denied_styles_are_left_out():
    assert hints("not a waltz, not a ballad: a polka") == ["polka"]
    assert hints("hip hop without trap, drill or grime") == []


def test_the_most_confident_come_first_and_each_once():
    found = find_hints(text := "Polka like Bach, polka in the style of Zorbwick, Norwegian", tokenize(text))
    assert [hint.name for hint in found] == ["Bach", "polka", "Norwegian", "Zorbwick"]
    assert [text[slice(*hint.span)] for hint in found] == ["Bach", "Polka", "Norwegian", "Zorbwick"]


def test_a_known_style_after_a_cue_is_no_name():
    assert hints("in the style of Motown") == ["Motown"]


def test_names_imply_genres_less_surely_than_words_state_them():
    text = "in the manner of Chopin, like Liszt and Daft Punk, 80s polka"
    genres = implied_genres(find_hints(text, tokenize(text)))
    assert [genre.name for genre in genres] == ["romantic", "electronic"]
    assert all(0.4 <= genre.confidence <= 0.5 for genre in genres)
    assert text[slice(*genres[0].span)] == "Chopin"


def test_no_term_stands_twice_in_the_tables():
    terms = [row["term"] for file in ("eras", "substyles") for row in read_rows(file)]
    assert [term for term in set(terms) if terms.count(term) > 1] == []


@given(st.text(max_size=200))
def test_any_text_has_hints_of_its_own_words(text):
    for hint in find_hints(text, tokenize(text)):
        assert 0 < hint.confidence <= 1
        assert 0 <= hint.span[0] < hint.span[1] <= len(text)


@pytest.mark.parametrize("text", ["no trap or " * 5_000, "80s " * 10_000, "late " * 10_000])
def test_long_texts_are_read_to_their_end(text):
    assert hints(text) == (["1980s"] if "80s" in text else [])
