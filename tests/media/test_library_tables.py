import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.media.library_tables import artist_lines, clock, folded, library_tables, plural, share
from amt_ray.midi.library import ArticleCounts, Histogram, LibraryReport

REPORT = LibraryReport(
    accepted=900,
    rejected_by_reason={"corrupt": 60, "too_short": 4},
    duplicates=30,
    near_duplicates=6,
    artists=847,
    top_artists={"ABBA": 23, "Beatles": 18, "Queen": 1},
    genres={"pop": 500, "rock": 300},
    licences={"CC0-1.0": 900},
    average_duration_s=180.52,
    median_duration_s=170.0,
    total_hours=45.13,
    durations_s=Histogram((128.0, 256.0), (900,)),
    average_notes=1342.7,
    median_notes=300.0,
    total_notes=308_430,
    notes=Histogram((256.0, 512.0), (900,)),
    average_tempo_bpm=118.2,
    median_tempo_bpm=120.0,
    tempi_bpm=Histogram((110.0, 120.0), (900,)),
    polyphony_levels={"monophonic": 156, "homophonic": 323, "polyphonic": 421},
    keys={"C major": 900},
    time_signatures={"4/4": 900},
    families={"piano": 890, "drums": 400},
    articles=ArticleCounts({"song": 800, "failed": 100}, {"timeout": 100}, 1156.4),
)


def test_tables_tell_the_report():
    tables = library_tables(REPORT)
    assert tables["Files"] == {
        "Found": "1,000",
        "Accepted": "900 (90%)",
        "Rejected": "64 (6%)",
        "Duplicates": "30 (3%)",
        "Near duplicates": "6 (1%)",
    }
    assert tables["Rejected by reason"] == {"corrupt": "60 (6%)", "too_short": "4 (<1%)"}
    assert tables["Music"]["Artists"] == "847"
    assert tables["Music"]["Average length"] == "180.5 s (median 170.0 s)"
    assert tables["Music"]["Average notes"] == "1,342.7 (median 300)"
    assert tables["Polyphony"] == {"monophonic": "156 (17%)", "homophonic": "323 (36%)", "polyphonic": "421 (47%)"}
    assert tables["Articles"] == {"song": "800 (89%)", "failed": "100 (11%)", "average summary": "1,156 characters"}
    assert tables["Why no article on the song"] == {"timeout": "100 (11%)"}


def test_distributions_of_nothing_are_left_out():
    bare = dataclasses.replace(REPORT, genres={}, keys={}, rejected_by_reason={}, articles=None)
    left_out = library_tables(REPORT).keys() - library_tables(bare).keys()
    assert left_out == {"Genres", "Keys", "Rejected by reason", "Articles", "Why no article on the song"}


def test_artists_are_listed_and_the_others_counted():
    lines = artist_lines(REPORT)
    assert lines == ["- ABBA: 23 files", "- Beatles: 18 files", "- Queen: 1 file", "- … (844 more artists)"]
    assert artist_lines(dataclasses.replace(REPORT, artists=3)) == lines[:3]
    assert artist_lines(dataclasses.replace(REPORT, artists=4))[3:] == ["- … (1 more artist)"]
    assert artist_lines(dataclasses.replace(REPORT, artists=0, top_artists={})) == []


def test_the_rest_is_other_and_joins_what_is_called_so():
    assert folded({"a": 5, "b": 3, "c": 2, "d": 1}, 2) == {"a": 5, "b": 3, "other": 3}
    assert list(folded({"other": 5, "b": 3, "c": 2}, 2).items()) == [("b", 3), ("other", 7)]
    assert folded({"a": 5, "b": 3}, 2) == {"a": 5, "b": 3}


@given(st.dictionaries(st.sampled_from([*"abcdefghijklmnopq", "other"]), st.integers(1, 99)), st.integers(1, 20))
def test_folding_loses_no_file(counts, most):
    assert sum(folded(counts, most).values()) == sum(counts.values())
    assert len(folded(counts, most)) <= most + 1


@pytest.mark.parametrize(
    ("n", "total", "text"),
    [(0, 10, "0%"), (1, 1000, "<1%"), (5, 10, "50%"), (9999, 10_000, ">99%"), (10, 10, "100%"), (0, 0, "0%")],
)
def test_only_nothing_is_0_percent_and_only_all_is_100(n, total, text):
    assert share(n, total) == text


def test_numbers_as_words():
    assert [plural(n, "file") for n in (0, 1, 1000)] == ["0 files", "1 file", "1,000 files"]
    assert [clock(s) for s in (0.2, 59.6, 184, 3700)] == ["0:00", "1:00", "3:04", "61:40"]
