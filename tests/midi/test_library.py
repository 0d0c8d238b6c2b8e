import json
import math
import statistics
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.midi.library import (
    N_TOP_ARTISTS,
    PIECE_COLUMNS,
    REJECT_COLUMNS,
    ArticleCounts,
    Histogram,
    measure_library,
    octave_histogram,
)
from amt_ray.schemas import PIECES, REJECTS

PIECE_SCHEMA = pa.schema([PIECES.field(name) for name in PIECE_COLUMNS])
REJECT_SCHEMA = pa.schema([REJECTS.field(name) for name in REJECT_COLUMNS])
ARTICLE_SCHEMA = pa.schema([("status", pa.string()), ("reason", pa.string()), ("n_characters", pa.int32())])
PIECE = {
    "artist": "ABBA",
    "genre": "pop",
    "licence": "CC0-1.0",
    "duration_s": 180.0,
    "n_notes": 300,
    "tempo_bpm": 120.0,
    "time_signature": "4/4",
    "key": "A major",
    "polyphony": "poly",
    "families": ["piano", "drums"],
}


def measured(pieces, rejects=(), articles=None):
    return measure_library(
        pa.Table.from_pylist(list(pieces), PIECE_SCHEMA),
        pa.Table.from_pylist([{"stage": stage, "reason": reason} for stage, reason in rejects], REJECT_SCHEMA),
        None if articles is None else pa.Table.from_pylist(articles, ARTICLE_SCHEMA),
    )


def test_three_pieces():
    report = measured(
        [
            PIECE,
            PIECE | {"genre": "rock", "duration_s": 60.0, "n_notes": 100, "polyphony": "mono", "families": ["piano"]},
            PIECE | {"artist": "Queen", "duration_s": 30.0, "n_notes": 20, "key": "D minor", "tempo_bpm": 60.0},
        ]
    )
    assert (report.accepted, report.total_files, report.artists) == (3, 3, 2)
    assert report.top_artists == {"ABBA": 2, "Queen": 1}
    assert report.genres == {"pop": 2, "rock": 1}
    assert (report.average_duration_s, report.median_duration_s, report.total_hours) == (90.0, 60.0, 0.075)
    assert (report.average_notes, report.median_notes, report.total_notes) == (140.0, 100.0, 420)
    assert (report.average_tempo_bpm, report.median_tempo_bpm) == (100.0, 120.0)
    assert report.polyphony_levels == {"monophonic": 1, "homophonic": 0, "polyphonic": 2}
    assert report.keys == {"A major": 2, "D minor": 1}
    assert report.time_signatures == {"4/4": 3}
    assert report.families == {"piano": 3, "drums": 2}
    assert report.articles is None


def test_duplicates_are_no_rejects_and_only_the_stage_collect_counts():
    rejects = [
        ("collect", "corrupt"),
        ("collect", "corrupt"),
        ("collect", "duplicate"),
        ("collect", "near_duplicate"),
        ("collect", "near_duplicate"),
        ("collect", "too_short"),
        ("prepare", "no_window"),
    ]
    report = measured([PIECE], rejects)
    assert report.rejected_by_reason == {"corrupt": 2, "too_short": 1}
    assert (report.rejected, report.duplicates, report.near_duplicates, report.total_files) == (3, 1, 2, 7)


def test_names_are_ordered_by_files_and_then_by_name():
    artists = ["b", "a", "c", "c"]
    assert list(measured([PIECE | {"artist": artist} for artist in artists]).top_artists) == ["c", "a", "b"]


def test_all_artists_are_counted_and_ten_are_named():
    report = measured([PIECE | {"artist": f"artist {i % 15}"} for i in range(40)])
    assert report.artists == 15
    assert len(report.top_artists) == N_TOP_ARTISTS
    assert list(report.top_artists.values()) == [3] * 10


def test_what_a_piece_does_not_name_is_not_counted():
    nameless = dict.fromkeys(PIECE) | {"duration_s": math.nan, "n_notes": 5, "artist": ""}
    report = measured([nameless, PIECE])
    assert report.accepted == 2
    assert (report.artists, report.genres, report.keys, report.families) == (
        1, {"pop": 1}, {"A major": 1}, {"piano": 1, "drums": 1},
    )  # fmt: skip
    assert (report.average_duration_s, report.average_notes) == (180.0, 152.5)
    assert report.durations_s.counts == (1,)


def test_a_library_of_nothing_is_zeros():
    report = measured([], articles=[])
    assert (report.total_files, report.average_duration_s, report.median_notes, report.total_notes) == (0, 0.0, 0.0, 0)
    assert report.durations_s == report.notes == report.tempi_bpm == Histogram((), ())
    assert report.articles == ArticleCounts({}, {}, 0.0)


def test_articles_by_status_and_reason():
    rows = [
        {"status": "song", "reason": "", "n_characters": 900},
        {"status": "song", "reason": "", "n_characters": 600},
        {"status": "artist", "reason": "low_confidence", "n_characters": 300},
        {"status": "failed", "reason": "timeout", "n_characters": None},
    ]
    assert measured([PIECE], articles=rows).articles == ArticleCounts(
        {"song": 2, "artist": 1, "failed": 1}, {"low_confidence": 1, "timeout": 1}, 600.0
    )


def test_json_holds_every_field_and_the_sums():
    report = measured([PIECE], [("collect", "corrupt")], [{"status": "none", "reason": "no_page", "n_characters": None}])
    told = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert (told["total_files"], told["accepted"], told["rejected"]) == (2, 1, 1)
    assert told["polyphony_levels"] == {"monophonic": 0, "homophonic": 0, "polyphonic": 1}
    assert told["articles"]["by_reason"] == {"no_page": 1}
    assert told["notes"]["counts"] == [1]


def test_bins_are_parts_of_octaves():
    histogram = octave_histogram(np.array([1.0, 1.3, 1.5, 4.0]), 2)
    np.testing.assert_allclose(histogram.edges, [1, 2**0.5, 2, 2**1.5, 4, 2**2.5])
    assert histogram.counts == (2, 1, 0, 0, 1)


@given(st.lists(st.floats(1e-6, 1e9), min_size=1), st.sampled_from([1, 2, 8]))
def test_every_positive_value_is_in_one_bin(values, bins_per_octave):
    histogram = octave_histogram(np.array([*values, 0.0, -1.0]), bins_per_octave)
    assert sum(histogram.counts) == len(values)
    assert len(histogram.edges) == len(histogram.counts) + 1
    assert histogram.edges[0] <= min(values) * (1 + 1e-9)
    assert histogram.edges[-1] >= max(values) * (1 - 1e-9)
    np.testing.assert_allclose(np.diff(np.log2(histogram.edges)), 1 / bins_per_octave)


names = st.sampled_from(["", "x", "y", "z"]) | st.none()
pieces = st.fixed_dictionaries(
    {
        "artist": names,
        "genre": names,
        "licence": names,
        "duration_s": st.floats(0.1, 1e5),
        "n_notes": st.integers(1, 10**6),
        "tempo_bpm": st.floats(1, 1000),
        "time_signature": names,
        "key": names,
        "polyphony": st.sampled_from(["mono", "homo", "poly"]),
        "families": st.lists(st.sampled_from(["piano", "drums", "bass"]), unique=True),
    }
)
rejects = st.tuples(
    st.sampled_from(["collect", "prepare"]), st.sampled_from(["corrupt", "duplicate", "near_duplicate", "no_notes"])
)


@given(st.lists(pieces, min_size=1, max_size=20), st.lists(rejects, max_size=20))
def test_counts_add_up_and_agree_with_pythons_own(rows, left_out):
    report = measured(rows, left_out)
    of_collect = [reason for stage, reason in left_out if stage == "collect"]
    assert report.total_files == len(rows) + len(of_collect)
    assert report.total_files == report.accepted + report.rejected + report.duplicates + report.near_duplicates
    assert report.genres == Counter(row["genre"] for row in rows if row["genre"])
    assert report.families == Counter(family for row in rows for family in row["families"])
    assert sum(report.polyphony_levels.values()) == report.accepted
    assert report.median_notes == statistics.median(row["n_notes"] for row in rows)
    assert report.average_duration_s == pytest.approx(statistics.fmean(row["duration_s"] for row in rows))
    assert list(report.genres.values()) == sorted(report.genres.values(), reverse=True)
