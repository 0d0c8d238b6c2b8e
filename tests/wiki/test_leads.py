import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.wiki.leads import first_sentence, is_musician, speaks_of_music, subject_of, subject_of_noun


@pytest.mark.parametrize(
    "lead",
    [
        '"Dancing Queen" is a song by the Swedish group ABBA, released in 1976.',
        '"This Is the Day" is a 1983 power ballad recorded by the band.',
        "“Waterloo” is the first single from the group's second album.",
        "The Symphony No. 5 in C minor, Op. 67, also known as the Fate Symphony, is a symphony composed by Beethoven.",
        "Bagatelle No. 25 (WoO 59), commonly known as “Für Elise”, is one of Beethoven's most popular compositions.",
        "The Gymnopédies (pronounced [ʒimnɔpedi]) are three piano compositions by Erik Satie.",
        "The Four Seasons is a group of four violin concerti by Antonio Vivaldi.",
        'The "Ride of the Valkyries" is the popular name of the prelude to the third act.',
        'The Blue Danube is the common title of "An der schönen blauen Donau", Op. 314, a waltz by Johann Strauss II.',
        "The String Quartet No. 6 is a string quartet written by Ludwig van Beethoven.",
        "Also sprach Zarathustra is a tone poem by Richard Strauss.",
        "Peer Gynt, Op. 23, is the incidental music to a play by Henrik Ibsen.",
        '"The Entertainer" is a 1902 piano rag by Scott Joplin.',
        "A German Requiem, Op. 45, by Johannes Brahms, is a large-scale work for chorus.",
    ],
)
def test_articles_on_works(lead):
    assert subject_of(lead) == "work"


@pytest.mark.parametrize(
    ("lead", "subject"),
    [
        ("Help! is a 1965 British musical comedy film starring the Beatles, with songs by the band.", "other"),
        ("Help! is the fifth studio album by the English rock band the Beatles.", "other"),
        ("A nocturne is a musical composition that paints the night.", "other"),
        ("In music, a canon is a piece in which voices follow each other.", "other"),
        ("Cabaret is a musical with music by John Kander.", "stage"),
        ("Queen are a British rock band formed in London in 1970.", "artist"),
        ("ABBA were a Swedish pop group formed in Stockholm.", "artist"),
        ("Ludwig van Beethoven (baptised 17 December 1770) was a German composer and pianist.", "artist"),
        ("Adele Adkins (born 5 May 1988), known as Adele, is an English singer-songwriter.", "artist"),
        ("The Kronos Quartet is an American string quartet based in San Francisco.", "artist"),
        ("A Yesterday may refer to: Yesterday (song); Yesterday (film).", "disambiguation"),
        ("Waterloo most commonly refers to: Battle of Waterloo.", "disambiguation"),
        ("Waterloo is a municipality in Belgium.", "unknown"),
        ("Symphony No. 40 in G minor, K. 550, was written by Wolfgang Amadeus Mozart in 1788.", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_other_articles_are_about(lead, subject):
    assert subject_of(lead) == subject


@pytest.mark.parametrize(
    ("lead", "verdict"),
    [
        ("Jennifer Lopez is an American actress, singer, songwriter, and dancer.", True),
        ("Joseph McCarthy was an American politician who served as a senator from Wisconsin.", False),
        ("That Thing You Do! is a 1996 American musical comedy film about a band.", False),
        ('"Queen" is a song by a singer.', False),
        ("Robert Franz (1815–1892) was a German composer, mainly of lieder.", True),
        ("", False),
    ],
)
def test_who_is_in_music(lead, verdict):
    assert is_musician(lead) == verdict


@pytest.mark.parametrize(
    ("lead", "sentence"),
    [
        ("The Étude Op. 10, No. 3, by J. S. Bach and St. Paul is short. It ends.",
         "The Etude Op. 10, No. 3, by J. S. Bach and St. Paul is short."),
        ("It is on the album Help! (1965). Others followed.", "It is on the album Help! (1965)."),
        ("One sentence", "One sentence"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_first_sentence(lead, sentence):
    assert first_sentence(lead) == sentence


@pytest.mark.parametrize(
    ("phrase", "subject"),
    [("song", "work"), ("tone poem", "work"), ("poem", "other"), ("rock band", "artist"), ("group", "other"),
     ("pop group", "artist"), ("film", "other"), ("interjection", "unknown"), ("", "unknown")],
)  # fmt: skip
def test_what_nouns_stand_for(phrase, subject):
    assert subject_of_noun(phrase) == subject


def test_words_of_music_are_heard():
    assert speaks_of_music("It was composed in 1788.")
    assert not speaks_of_music("It was built in 1788.")


@given(st.text(max_size=400))
def test_any_lead_can_be_read(lead):
    assert subject_of(lead) in ("work", "stage", "artist", "disambiguation", "other", "unknown")
    assert is_musician(lead) in (True, False)
