import itertools

import pytest
from matplotlib.figure import Figure

from amt_ray.media import charts
from amt_ray.media.charts import draw_bars, draw_histogram, draw_pairs, new_pen
from amt_ray.midi.library import Histogram

BOX_IN = (1.0, 4.0, 5.0, 2.0)


@pytest.fixture
def pen():
    return new_pen(Figure(figsize=(8, 5), dpi=100))


def drawn_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_text_is_cut_to_its_room(pen):
    whole = "Wolfgang Amadeus Mozart"
    width_in = pen.width_in(whole)
    assert pen.fitted(whole, width_in) == whole
    cut = pen.fitted(whole, width_in * 0.6)
    assert cut.endswith("…")
    assert whole.startswith(cut[:-1])
    assert width_in * 0.5 < pen.width_in(cut) <= width_in * 0.6
    assert pen.fitted(whole, 0.0) == "…"
    assert pen.fitted("x" * 10_000, 1.0) == pen.fitted("x" * 100, 1.0)


def test_letters_without_a_glyph_become_squares_and_white_space_one_space(pen):
    assert pen.fitted(" Дмитрий\n\tШостакович ", 9) == "Дмитрий Шостакович"
    assert pen.fitted("a\x00b\U0010fffd", 9) == "a□b□"


def test_fonts_that_are_installed_stand_in_for_missing_letters(monkeypatch):
    monkeypatch.setattr(charts, "FONTS", ("DejaVu Sans", "No Such Font"))
    alone = new_pen(Figure())
    assert alone.families == ("DejaVu Sans",)
    monkeypatch.setattr(charts, "FONTS", ("DejaVu Sans", "STIXNonUnicode"))
    pair = new_pen(Figure())
    added = min(pair.letters - alone.letters)
    assert alone.fitted(added, 9) == "□"
    assert pair.fitted(added, 9) == added
    assert pair.width_in(added) > 0


def test_bars_have_names_counts_and_shares(pen):
    draw_bars(pen, 1.0, 4.0, 5.0, {"art-song": 30, "$x$ & $y$": 10}, 40, "#332288")
    (axes,) = pen.figure.axes
    assert [bar.get_width() for bar in axes.patches] == [30, 10]
    assert drawn_labels(axes.yaxis) == ["art-song", "$x$ & $y$"]
    assert not any(label.get_parse_math() for label in axes.get_yticklabels())
    assert [text.get_text().strip() for text in axes.texts] == ["30 (75%)", "10 (25%)"]


def test_a_histogram_has_a_bar_for_each_bin_over_octaves(pen):
    draw_histogram(pen, BOX_IN, Histogram((1.0, 4.0, 16.0, 64.0), (3, 0, 7)), {2: "two", 32: "much", 128: "more"}, "#332288")
    (axes,) = pen.figure.axes
    assert [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in axes.patches] == [(0, 2, 3), (2, 2, 0), (4, 2, 7)]
    assert list(axes.get_xticks()) == [1, 5]
    assert drawn_labels(axes.xaxis) == ["two", "much"]


def test_labels_that_would_touch_are_left_out(pen):
    ticks = {value: f"a long label {value}" for value in range(1, 60)}
    draw_histogram(pen, BOX_IN, Histogram((1.0, 64.0), (1,)), ticks, "#332288")
    pen.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in pen.figure.axes[0].get_xticklabels()]
    assert 3 <= len(boxes) <= 6
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


def test_one_bin_is_no_wider_than_its_share_of_four_octaves(pen):
    draw_histogram(pen, BOX_IN, Histogram((8.0, 16.0), (1,)), {}, "#332288")
    assert pen.figure.axes[0].get_xlim() == (1.5, 5.5)


def test_pairs_stand_side_by_side(pen):
    draw_pairs(pen, BOX_IN, ["C", "D"], [(1, 2), (3, 4)], ("#332288", "#88CCEE"))
    (axes,) = pen.figure.axes
    by_place = sorted((bar.get_x(), bar.get_height()) for bar in axes.patches)
    assert [height for _, height in by_place] == [1, 2, 3, 4]
    assert drawn_labels(axes.xaxis) == ["C", "D"]
