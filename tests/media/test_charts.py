import itertools

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from amt_ray.media import charts
from amt_ray.media.charts import (
    COUNTS_IN,
    FAINT_INK,
    FAINT_LINE,
    HEADROOM,
    INK,
    LINE_IN,
    NAMES_IN,
    ROW_IN,
    SCALE_IN,
    draw_bars,
    draw_histogram,
    draw_pairs,
    new_pen,
)
from amt_ray.midi.library import Histogram

BOX_IN = (1.0, 4.0, 5.0, 2.0)


@pytest.fixture
def pen():
    return new_pen(Figure(figsize=(8, 5), dpi=100))


def boxes_in(pen, colour="#332288"):
    """Left, bottom, width and height of the rectangles of a colour."""
    filled = [bars for bars in pen.figure.findobj(PolyCollection) if to_hex(bars.get_facecolor()) == colour.lower()]
    return [path.get_extents().bounds for bars in filled for path in bars.get_paths()]


def written_by(pen, colour=INK):
    return [text.get_text() for text in pen.figure.texts if text.get_color() == colour]


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
    longest_in = 5.0 - NAMES_IN - COUNTS_IN
    assert [(left, width) for left, _, width, _ in boxes_in(pen)] == [
        pytest.approx((1.0 + NAMES_IN, longest_in)),
        pytest.approx((1.0 + NAMES_IN, longest_in / 3)),
    ]
    upper, lower = [bottom + height / 2 for _, bottom, _, height in boxes_in(pen)]
    assert (upper, lower) == pytest.approx((4.0 - ROW_IN / 2, 4.0 - ROW_IN * 1.5))
    assert written_by(pen) == ["art-song", "$x$ & $y$"]
    assert not any(text.get_parse_math() for text in pen.figure.texts)
    assert written_by(pen, FAINT_INK) == ["30 (75%)", "10 (25%)"]


def test_bars_are_drawn_where_their_boxes_are(pen):
    draw_bars(pen, 1.0, 4.0, 5.0, {"a": 2, "b": 1}, 3, "#332288")
    pen.figure.canvas.draw()
    pixels = np.asarray(pen.figure.canvas.buffer_rgba())[::-1, :, :3]
    rows, columns = np.nonzero((pixels == (0x33, 0x22, 0x88)).all(axis=2))
    (left, bottom, width, height), (*_, last_bottom, _, _) = boxes_in(pen)
    drawn = [columns.min(), columns.max() + 1, rows.min(), rows.max() + 1]
    assert drawn == pytest.approx([100 * x for x in (left, left + width, last_bottom, bottom + height)], abs=1)


def test_pairs_of_nothing_have_no_height(pen):
    draw_pairs(pen, BOX_IN, ["C"], [(0, 0)], ("#332288", "#88CCEE"))
    assert [height for *_, height in boxes_in(pen)] == [0]


def test_bars_of_nothing_have_no_length(pen):
    draw_bars(pen, 1.0, 4.0, 5.0, {"none": 0}, 0, "#332288")
    assert [width for _, _, width, _ in boxes_in(pen)] == [0]


def test_a_histogram_has_a_column_for_each_bin_over_octaves(pen):
    draw_histogram(
        pen, BOX_IN, Histogram((2.0, 8.0, 32.0, 128.0), (3, 0, 7)), {4: "few", 64: "much", 256: "more"}, "#332288"
    )
    bin_in = (5.0 - SCALE_IN) / 3
    columns = boxes_in(pen)
    assert [left for left, *_ in columns] == pytest.approx([1.0 + SCALE_IN + place * bin_in for place in range(3)])
    assert [width for _, _, width, _ in columns] == pytest.approx([bin_in - LINE_IN] * 3)
    assert {round(bottom, 9) for _, bottom, _, _ in columns} == {2.0}
    assert [height for *_, height in columns] == pytest.approx([2.0 / HEADROOM * n / 7 for n in (3, 0, 7)])
    few, much = [text for text in pen.figure.texts if text.get_color() == INK]
    assert (few.get_text(), much.get_text()) == ("few", "much")
    assert (few.get_position()[0], much.get_position()[0]) == pytest.approx(
        (1.0 + SCALE_IN + bin_in / 2, 1.0 + SCALE_IN + bin_in * 2.5)
    )


@pytest.mark.parametrize(
    ("highest", "numbers"),
    [(1, ["0", "1"]), (7, ["0", "3", "6"]), (655, ["0", "250", "500"]), (10**6, ["0", "400,000", "800,000"])],
)
def test_the_scale_has_few_whole_numbers_at_their_heights(pen, highest, numbers):
    draw_histogram(pen, BOX_IN, Histogram((1.0, 16.0), (highest,)), {}, "#332288")
    assert written_by(pen, FAINT_INK) == numbers
    values = [int(number.replace(",", "")) for number in numbers]
    heights_in = [2.0 + 2.0 / HEADROOM * value / highest for value in values]
    assert [text.get_position()[1] for text in pen.figure.texts] == pytest.approx(heights_in)
    assert [bottom + height for _, bottom, _, height in boxes_in(pen, FAINT_LINE)] == pytest.approx(heights_in)


def test_labels_that_would_touch_are_left_out(pen):
    ticks = {value: f"a long label {value}" for value in range(1, 60)}
    draw_histogram(pen, BOX_IN, Histogram((1.0, 64.0), (1,)), ticks, "#332288")
    boxes = [text.get_window_extent() for text in pen.figure.texts if text.get_color() == INK]
    assert 3 <= len(boxes) <= 6
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


def test_one_bin_is_no_wider_than_its_share_of_four_octaves(pen):
    draw_histogram(pen, BOX_IN, Histogram((8.0, 16.0), (1,)), {}, "#332288")
    octave_in = (5.0 - SCALE_IN) / 4
    ((left, _, width, _),) = boxes_in(pen)
    assert (left, width) == pytest.approx((1.0 + SCALE_IN + 1.5 * octave_in, octave_in - LINE_IN))


def test_pairs_stand_side_by_side_above_their_name(pen):
    draw_pairs(pen, BOX_IN, ["C", "D"], [(1, 2), (3, 4)], ("#332288", "#88CCEE"))
    columns = sorted([*boxes_in(pen), *boxes_in(pen, "#88CCEE")])
    assert [height for *_, height in columns] == pytest.approx([2.0 / HEADROOM * n / 4 for n in (1, 2, 3, 4)])
    assert all(left + width < right for (left, _, width, _), (right, *_) in itertools.pairwise(columns))
    names = [text for text in pen.figure.texts if text.get_color() == INK]
    assert [text.get_text() for text in names] == ["C", "D"]
    for text, pair in zip(names, (columns[:2], columns[2:]), strict=True):
        assert pair[0][0] < text.get_position()[0] < pair[1][0] + pair[1][2]
