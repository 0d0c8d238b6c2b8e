import pytest

from amt_ray.text.analyse import analyse


@pytest.mark.parametrize(
    ("text", "played", "excluded"),
    [
        ("string quartet minus the viola", "violin, cello", "viola"),
        ("rock band without a singer", "overdriven guitar, electric bass, drums", "voice"),
        ("a chamber orchestra except the horns", "string ensemble, flute, oboe, bassoon", "brass section"),
        ("rhythm section without bass guitar", "drums", "electric bass"),
        ("no strings, just a solo cello", "cello", "string ensemble"),
        ("strings but no violins", "string ensemble", "violin"),
        ("piano, no electric piano", "piano", "electric piano"),
        ("kick and snare, no hi-hats", "drums", ""),
        ("a rock song with guitar but no guitar solo", "nylon-string guitar", ""),
        ("not a big band song", "", ""),
        ("a piano trio (piano, bass, drums)", "piano, electric bass, drums", ""),
        ("orchestral music with flute, oboe and harp", "flute, oboe, harp", ""),
        ("rock song with no drums, heavy drums", "", "drums"),
    ],
)
def test_members_and_parts(text, played, excluded):
    analysis = analyse(text)
    assert ", ".join(m.name for m in analysis.instruments) == played
    assert ", ".join(m.name for m in analysis.excluded_instruments) == excluded


@pytest.mark.parametrize(
    "ensemble", ["orchestra", "big band", "wind quintet", "rock band", "string quartet", "mariachi band"]
)
@pytest.mark.parametrize("member", ["brass", "strings", "woodwinds", "violin", "drums", "guitar", "saxophones", "piano"])
def test_what_is_excluded_is_not_played(ensemble, member):
    analysis = analyse(f"{ensemble} without {member}")
    excluded = {program for mention in analysis.excluded_instruments for program in mention.programs}
    assert excluded
    assert not any(excluded & set(mention.programs) for mention in analysis.instruments)
