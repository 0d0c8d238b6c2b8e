import dataclasses
import io
import itertools

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from amt_ray.media.library_sheet import BLUE, DPI, PALE_BLUE, draw_library_sheet, library_figure
from amt_ray.midi.instruments import FAMILIES
from amt_ray.midi.keys import KEYS
from amt_ray.midi.library import ArticleCounts, Histogram, LibraryReport

EMPTY = Histogram((), ())
MANY = {f"a rather long name of a thing {i}": 10**6 - i for i in range(40)}


def wide_histogram(low, high, bins_per_octave):
    n_bins = (high - low) * bins_per_octave
    return Histogram(tuple(2.0 ** np.linspace(low, high, n_bins + 1)), (10**6,) * n_bins)


def report_of(**fields):
    bare = LibraryReport(
        accepted=1,
        rejected_by_reason={},
        duplicates=0,
        near_duplicates=0,
        artists=0,
        top_artists={},
        genres={},
        licences={},
        average_duration_s=1.0,
        median_duration_s=1.0,
        total_hours=1 / 3600,
        durations_s=EMPTY,
        average_notes=1.0,
        median_notes=1.0,
        total_notes=1,
        notes=EMPTY,
        average_tempo_bpm=120.0,
        median_tempo_bpm=120.0,
        tempi_bpm=EMPTY,
        polyphony_levels={"monophonic": 1, "homophonic": 0, "polyphonic": 0},
        keys={},
        time_signatures={},
        families={},
        articles=None,
    )
    return dataclasses.replace(bare, **fields)


FULL = report_of(
    accepted=10**6,
    rejected_by_reason=MANY,
    duplicates=10**6,
    near_duplicates=3,
    artists=10**6,
    top_artists=dict(itertools.islice(MANY.items(), 10)),
    genres=MANY,
    median_duration_s=1e5,
    durations_s=wide_histogram(-7, 18, 2),
    notes=wide_histogram(0, 24, 2),
    tempi_bpm=wide_histogram(0, 12, 8),
    keys=dict.fromkeys(KEYS, 10**6),
    time_signatures=MANY,
    families=dict.fromkeys((*FAMILIES, "drums"), 10**6),
    articles=ArticleCounts({"song": 10**6, "failed": 3}, dict(itertools.islice(MANY.items(), 10)), 1.0),
)


@pytest.fixture(autouse=True, scope="module")
def letters_as_on_the_sheet():
    with matplotlib.rc_context({"text.hinting": "no_hinting"}):
        yield


def texts_of(figure):
    """Text and box of all that is written."""
    return [(text.get_text(), text.get_window_extent()) for text in figure.texts]


def assert_texts_are_apart(figure):
    texts = texts_of(figure)
    for (a, box_a), (b, box_b) in itertools.combinations(texts, 2):
        # Lines of one chart may stand closer than their letters' extremes reach.
        wide = min(box_a.x1, box_b.x1) - max(box_a.x0, box_b.x0)
        high = min(box_a.y1, box_b.y1) - max(box_a.y0, box_b.y0)
        assert wide <= 1 or high <= 3, f"{a!r} and {b!r} overlap"
    for text, box in texts:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text


def heights_in(figure, colour):
    """Heights of the rectangles of a colour."""
    filled = [bars for bars in figure.findobj(PolyCollection) if to_hex(bars.get_facecolor()) == colour.lower()]
    return [path.get_extents().height for bars in filled for path in bars.get_paths()]


def written_in(report):
    return [text for text, _ in texts_of(library_figure(report))]


@pytest.mark.parametrize("report", [report_of(), FULL], ids=["nothing", "a million files, long names"])
def test_no_text_overlaps_another_or_leaves_the_sheet(report):
    assert_texts_are_apart(library_figure(report))


def test_distributions_of_nothing_say_none():
    assert written_in(report_of()).count("none") == 11
    assert written_in(report_of(genres={"pop": 1})).count("none") == 10


def test_what_is_written_is_what_is_counted():
    fields = {"accepted": 4, "genres": {"pop": 3, "art_song": 1}, "duplicates": 2, "near_duplicates": 3}
    written = [text.strip() for text in written_in(report_of(**fields))]
    assert {"pop", "art_song", "3 (75%)", "1 (25%)", "Files left out (5)"} <= set(written)
    assert written.index("near_duplicate") < written.index("duplicate")
    assert "found 9 · accepted 4 (44%) · rejected 0 (0%) · duplicates 2 (22%) · near duplicates 3 (33%)" in written


def test_keys_of_one_tonic_stand_together():
    figure = library_figure(report_of(keys={"C major": 5, "C minor": 2, "Db major": 4, "C# minor": 1}))
    major, minor = (heights_in(figure, colour) for colour in (BLUE, PALE_BLUE))
    assert major == pytest.approx([5 * minor[0] / 2, 4 * minor[0] / 2, *[0] * 10])
    assert minor == pytest.approx([minor[0], minor[0] / 2, *[0] * 10])


@settings(max_examples=10, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=10, unique=True))
def test_any_name_can_be_written(names):
    assert_texts_are_apart(library_figure(report_of(top_artists=dict.fromkeys(names, 1), artists=len(names))))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Дмитрий Шостакович", "Дмитрий Шостакович"),
        ("\U0010fffd\U0010fffd", "□□"),
        ("\x00\u200e", "□\u200e"),
        ("A$AP Ke$ha $\\frac{1}", "A$AP Ke$ha $\\frac{1}"),
        ("  ", ""),
    ],
)
def test_odd_names_are_written_letter_by_letter(name, written):
    report = report_of(top_artists={name: 1}, artists=1)
    texts = written_in(report)
    assert texts[texts.index("1 (100%)") - 1] == written
    assert matplotlib.image.imread(io.BytesIO(draw_library_sheet(report))).shape[1] == 16 * DPI


@pytest.mark.parametrize("name", ["周杰倫", "فيروز", "🎵🎶"])
def test_letters_that_only_some_fonts_have_are_written_or_become_squares(name):
    report = report_of(genres={name: 1})
    texts = written_in(report)
    written = texts[texts.index("1 (100%)") - 1]
    assert all(drawn in (letter, "□") for drawn, letter in zip(written, name, strict=True))
    assert draw_library_sheet(report) != draw_library_sheet(report_of(genres={"pop": 1}))


def test_a_name_is_drawn_where_it_is_written():
    pixels = [matplotlib.image.imread(io.BytesIO(draw_library_sheet(report_of(genres={name: 1})))) for name in ("W", "V")]
    rows, columns = np.nonzero((pixels[0] != pixels[1]).any(axis=2))
    figure = library_figure(report_of(genres={"W": 1}))
    (box,) = (box for text, box in texts_of(figure) if text == "W")
    scale = DPI / figure.dpi
    assert box.x0 * scale - 2 <= columns.min() <= columns.max() <= box.x1 * scale + 2
    assert box.y0 * scale - 2 <= len(pixels[0]) - rows.max() <= len(pixels[0]) - rows.min() <= box.y1 * scale + 2


def test_same_report_same_bytes_and_no_metadata():
    report = report_of(genres={"pop": 1})
    first = draw_library_sheet(report)
    assert first == draw_library_sheet(report)
    assert b"tEXt" not in first
    assert first != draw_library_sheet(report_of(genres={"rock": 1}))
    height, width, _ = matplotlib.image.imread(io.BytesIO(first)).shape
    assert width == pytest.approx(16 * DPI, abs=2)
    assert height > 4 * DPI
