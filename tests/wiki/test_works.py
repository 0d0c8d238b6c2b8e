import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.wiki.works import (
    Work,
    agreement,
    conflict,
    is_bare_form,
    name_of_work,
    parse_work,
    standard_spelling,
    work_titles,
)

NUMBERS = st.integers(1, 40)
ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"]


@pytest.mark.parametrize(
    ("title", "work"),
    [
        ("Symphony No.5, Op.67 - mvt 2", Work("Symphony", number=5, opus=67)),
        ("Sinfonie Nr. 5", Work("Symphony", number=5)),
        ("Fifth Symphony", Work("Symphony", number=5)),
        ("5th Symphony", Work("Symphony", number=5)),
        ("Symphony V", Work("Symphony", number=5)),
        ("Etude Op. 10 No. 3", Work("Étude", opus=10, opus_number=3)),
        ("Sonata, op. 27/2", Work("Sonata", opus=27, opus_number=2)),
        ("Sonata 2 for Unaccompanied Violin", Work("Violin Sonata", number=2)),
        ("Klaviersonate Nr. 8 c-Moll", Work("Piano Sonata", number=8, key="C minor")),
        ("Nocturnes, Op. 9 (Chopin)", Work("Nocturne", is_set=True, opus=9)),
        ("Sonata K545", Work("Sonata", catalogue="k 545")),
        ("KV 331", Work(catalogue="k 331")),
        ("Winterreise, D 911", Work(catalogue="d 911")),
        ("The Well-Tempered Clavier, BWV 846–893", Work(catalogue="bwv 846", catalogue_last=893)),
        ("She never told her love, Hob.XXVIa:34", Work(catalogue="hob xxvia:34")),
        ("Prelude in C♯ minor", Work("Prelude", key="C-sharp minor")),
        ("Canon in D", Work("Canon", key="D major")),
        ("B Minor Mass", Work("Mass", key="B minor")),
        ("Hungarian Dance #5", Work("Hungarian Dance", number=5)),
        ("Vitamin D 12", Work()),
        ("Living in a Box", Work()),
        ("Dancing Queen", Work()),
    ],
)
def test_what_a_title_says(title, work):
    assert parse_work(title) == work


@given(st.text(max_size=300))
def test_any_text_can_be_read(text):
    assert isinstance(parse_work(text), Work)
    assert isinstance(standard_spelling(text), str)
    assert isinstance(name_of_work(text), str)


@given(number=NUMBERS, other=NUMBERS)
def test_another_number_is_another_work(number, other):
    asked, found = parse_work(f"Symphony No. {number}"), parse_work(f"Symphony No. {other}")
    assert conflict(asked, found) == (number != other)


@given(opus=NUMBERS, number=NUMBERS, other=NUMBERS)
def test_another_number_within_an_opus_is_another_work(opus, number, other):
    asked = parse_work(f"Etude Op. {opus} No. {number}")
    found = parse_work(f"Étude Op. {opus}, No. {other} (Chopin)")
    assert conflict(asked, found) == (number != other)
    assert (agreement(asked, found) == 1.0) == (number == other)


@given(first=st.sampled_from(ROMAN), second=st.sampled_from(ROMAN))
def test_roman_numerals_are_numbers(first, second):
    numbers = [parse_work(f"Suite No. {figure}").number for figure in (first, second)]
    assert numbers == [ROMAN.index(first) + 1, ROMAN.index(second) + 1]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Prelude in C minor", "Prelude in C-sharp minor (Rachmaninoff)"),
        ("Violin Sonata No. 9", "Piano Sonata No. 9"),
        ("BWV 846", "Prelude and Fugue in C minor, BWV 847"),
        ("Sonata Op. 27 No. 2", "Sonata Op. 31 No. 2"),
        ("BWV 900", "The Well-Tempered Clavier, BWV 846–893"),
    ],
)
def test_works_that_differ(asked, found):
    assert conflict(parse_work(asked), parse_work(found))


@pytest.mark.parametrize(
    ("asked", "found", "sureness"),
    [
        ("Symphony No. 5, Op. 67", "Symphony No. 5 (Beethoven)", 1.0),
        ("Sonata No. 14", "Piano Sonata No. 14 (Beethoven)", 1.0),
        ("Sonata No. 5", "Violin Sonata No. 5 (Beethoven)", 0.55),
        ("Prelude in C major, BWV 846", "Prelude and Fugue in C major, BWV 846", 1.0),
        ("Nocturne Op. 9 No. 2", "Nocturnes, Op. 9 (Chopin)", 0.85),
        ("BWV 850", "The Well-Tempered Clavier, BWV 846–893", 0.85),
        ("Gymnopédie No. 1", "Gymnopédies", 0.85),
        ("Symphony No. 5", "Symphonies by Beethoven", None),
        ("Dancing Queen", "Dancing Queen", None),
    ],
)
def test_how_surely_two_are_one(asked, found, sureness):
    assert not conflict(parse_work(asked), parse_work(found))
    assert agreement(parse_work(asked), parse_work(found)) == sureness


def test_a_movements_key_does_not_speak_against_the_same_number():
    assert not conflict(parse_work("Serenade No. 13 in D major"), parse_work("Serenade No. 13 in G major"))


@pytest.mark.parametrize(
    ("title", "last", "titles"),
    [
        ("Symphony No. 5", "Beethoven", ["Symphony No. 5 (Beethoven)"]),
        ("Quartet No. 4", "Beethoven", ["String Quartet No. 4 (Beethoven)"]),
        ("Etude Op. 10 No. 3", "Chopin", ["Étude Op. 10, No. 3 (Chopin)", "Études, Op. 10 (Chopin)"]),
        ("Prelude Op. 28 No. 4", "Chopin", ["Prelude, Op. 28, No. 4 (Chopin)", "Preludes, Op. 28 (Chopin)"]),
        ("K 545", "Mozart", ["K. 545"]),
        ("Cello Suite No. 1", "Bach", ["Cello Suite No. 1 (Bach)", "Cello Suites", "Cello Suites (Bach)"]),
        ("Prelude in C# minor", "Rachmaninoff", ["Prelude in C-sharp minor (Rachmaninoff)", "Prelude in C-sharp minor"]),
        ("Dancing Queen", "X", []),
    ],
)
def test_titles_of_works(title, last, titles):
    assert work_titles(parse_work(title), last) == titles


@pytest.mark.parametrize(
    ("title", "spelled"),
    [
        ("Etude op.10 no.3", "Etude Op. 10, No. 3"),
        ("Mass in b minor, BWV.232", "Mass in B minor, BWV 232"),
        ("Sonata KV545", "Sonata K. 545"),
        ("Hungarian Dance #5", "Hungarian Dance No. 5"),
        ("Waltz in E Flat Major", "Waltz in E-flat major"),
        ("Mambo No. 5", "Mambo No. 5"),
        ("Vitamin D 12", "Vitamin D 12"),
    ],
)
def test_numbers_and_keys_are_spelled_as_on_wikipedia(title, spelled):
    assert standard_spelling(title) == spelled


def test_names_of_works_are_what_is_left_without_numbers():
    assert name_of_work("Gretchen am Spinnrade, Op. 2, D. 118") == "Gretchen am Spinnrade"
    assert [is_bare_form(name) for name in ("Piano Sonata", "Sonata for Violin", "Trout Quintet")] == [True, True, False]
