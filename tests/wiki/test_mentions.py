import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.wiki.mentions import FIRST, LAST_NAME, LATER, NAMESAKE, named_in_lead


@pytest.mark.parametrize(
    ("name", "title", "lead", "value"),
    [
        ("ABBA", "Dancing Queen", '"Dancing Queen" is a song by the Swedish group ABBA.', FIRST),
        ("Queen", "Dancing Queen", '"Dancing Queen" is a song by the Swedish group ABBA.', 0.0),
        ("Queen", "Dancing Queen", "“Dancing Queen” is a song. Dancing Queen was a hit. A Queen was crowned.", 0.0),
        ("Black Sabbath", "Black Sabbath", '"Black Sabbath" is a song by the heavy metal band Black Sabbath.', FIRST),
        ("Johnny Cash", "Hurt", '"Hurt" is a song by Nine Inch Nails. Johnny Cash covered it in 2002.', LATER),
        (
            "Fugees",
            "Killing Me Softly",
            '"Killing Me Softly" is a song by Lori. It was a hit for the Fugees in 1996.',
            LATER,
        ),
        ("Europe", "Carrie", '"Carrie" is a song by Cliff Richard that charted in Britain and Europe.', 0.0),
        ("Europe", "Carrie", '"Carrie" is a song by the Swedish hard rock band Europe.', FIRST),
        ("Prince", "X", '"X" is a song about Prince Charles by Y.', 0.0),
        ("Ludwig van Beethoven", "X", "X is a sonata by Beethoven.", LAST_NAME),
        ("J. S. Bach", "X", "X is a fugue by Johann Sebastian Bach.", LATER),
        ("Carl Philipp Emanuel Bach", "X", "X is a fugue by Johann Sebastian Bach.", NAMESAKE),
        ("Michael Haydn", "X", "X is a symphony by Joseph Haydn. It is Haydn's shortest.", NAMESAKE),
        ("Franz Joseph Haydn", "X", "X is a symphony by Joseph Haydn.", LATER),
        ("Peter Tchaikovsky", "X", "X is a ballet by Pyotr Ilyich Tchaikovsky.", LATER),
        ("Carl Loewe", "Erlkönig", "It is a Lied by Schubert. Carl Loewe wrote a ballad on the same words.", 0.0),
        ("The Beatles", "X", '"X" is a song by the English rock band the Beatles.', FIRST),
        ("Antonín Dvořák", "X", "X is a symphony by Antonin Dvorak.", FIRST),
        ("ABBA", "X", "", 0.0),
    ],
)
def test_how_a_lead_names_an_artist(name, title, lead, value):
    assert named_in_lead(name, title, lead) == value


@given(st.text(min_size=1, max_size=30), st.text(max_size=30), st.text(max_size=200))
def test_any_name_can_be_looked_for(name, title, lead):
    assert named_in_lead(name, title, lead) in (FIRST, LATER, LAST_NAME, NAMESAKE, 0.0)
