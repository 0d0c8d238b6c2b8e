"""Charts on a matplotlib figure, one to a box: bars with names, histograms over octaves, columns in pairs.

Sizes are in inches, measured from the figure's lower left corner; fonts are in points. Every text is cut to the room that it
has, measured in its own font, so that no two overlap; a letter that no font has becomes "□". All is text and rectangles:
matplotlib's own axes and ticks would take more time than all the rest.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from amt_ray.media.library_tables import share
from amt_ray.midi.library import Histogram

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

Box = tuple[float, float, float, float]
"""Left, top, width, height."""

INK, FAINT_INK, LINE, FAINT_LINE = "#222222", "#666666", "#BBBBBB", "#E4E4E4"
ROW_IN, NAMES_IN, COUNTS_IN, SCALE_IN = 0.21, 1.9, 1.0, 0.45
"""Height of a bar with its name; room left and right of bars; room left of a histogram."""
BAR_SHARE, HEADROOM = 0.68, 1.05
"""Height of a bar in its row; height of a chart over that of its highest column."""
LABEL_PT, LABEL_GAP_IN, TICK_IN, LINE_IN = 8.5, 0.05, 0.04, 0.008
NARROWEST_OCTAVES = 4
FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Hiragino Sans", "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS")
"""The first comes with matplotlib; the others, where they are installed, have letters that it lacks."""
UNKNOWN_LETTER = "□"


@dataclass(frozen=True)
class Pen:
    """A figure, the fonts to write on it, and the letters that they have."""

    figure: Figure
    renderer: Any
    families: tuple[str, ...]
    letters: frozenset[str]

    def width_in(self, text: str, size_pt: float = LABEL_PT) -> float:
        """Measure a line of text."""
        font = _font(self.families, size_pt, "normal")
        width_px: float = self.renderer.get_text_width_height_descent(text, font, ismath=False)[0]
        return width_px / self.figure.dpi

    def fitted(self, text: str, width_in: float, size_pt: float = LABEL_PT) -> str:
        """Put text on one line that is at most `width_in` wide; what is cut ends in "…"."""
        line = "".join(letter if letter in self.letters else UNKNOWN_LETTER for letter in " ".join(text.split()))
        if self.width_in(line, size_pt) <= width_in:
            return line
        ends = range(len(line))
        n_fitting = bisect_right(ends, width_in, key=lambda end: self.width_in(f"{line[:end].rstrip()}…", size_pt))
        return f"{line[: max(n_fitting - 1, 0)].rstrip()}…"

    def write(
        self,
        left_in: float,
        top_in: float,
        text: str,
        size_pt: float = LABEL_PT,
        colour: str = INK,
        *,
        weight: str = "normal",
        align: tuple[str, str] = ("left", "top"),
    ) -> None:
        """Write text; `align` says, in matplotlib's words, which of its points stands at (left_in, top_in)."""
        self.figure.text(
            left_in,
            top_in,
            text,
            transform=self.figure.dpi_scale_trans,
            fontproperties=_font(self.families, size_pt, weight),
            color=colour,
            ha=align[0],
            va=align[1],
            parse_math=False,
        )

    def fill(self, boxes_in: Iterable[Box], colour: str) -> None:
        """Fill rectangles with a colour."""
        from matplotlib.collections import PolyCollection

        corners_in = [
            [(left, top), (left + width, top), (left + width, top - height), (left, top - height)]
            for left, top, width, height in boxes_in
        ]
        filled = PolyCollection(corners_in, facecolors=colour, linewidths=0, transform=self.figure.dpi_scale_trans)
        self.figure.add_artist(filled)


def new_pen(figure: Figure) -> Pen:
    """Give a figure an Agg canvas; find which of FONTS are installed, and the letters that they have."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.font_manager import findfont, fontManager, get_font

    installed = {entry.name for entry in fontManager.ttflist}
    families = tuple(name for name in FONTS if name in installed)
    letters = frozenset(chr(code) for name in families for code in get_font(findfont(name)).get_charmap())
    canvas: Any = FigureCanvasAgg(figure)
    return Pen(figure, canvas.get_renderer(), families, letters)


@lru_cache
def _font(families: tuple[str, ...], size_pt: float, weight: str) -> FontProperties:
    """Fonts at a size, those later in the list standing in for letters that the first lacks."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=list(families), size=size_pt, weight=weight)


def draw_bars(
    pen: Pen, left_in: float, top_in: float, width_in: float, counts: Mapping[str, int], total: int, colour: str
) -> None:
    """Draw a horizontal bar for each count, its name on the left, the count and its share of the total on the right."""
    zero_in = left_in + NAMES_IN
    unit_in = (width_in - NAMES_IN - COUNTS_IN) / (max(counts.values()) or 1)
    bar_in = ROW_IN * BAR_SHARE
    boxes_in = []
    for row, (name, n) in enumerate(counts.items()):
        middle_in, length_in = top_in - ROW_IN * (row + 0.5), n * unit_in
        boxes_in.append((zero_in, middle_in + bar_in / 2, length_in, bar_in))
        pen.write(zero_in - LABEL_GAP_IN, middle_in, pen.fitted(name, NAMES_IN - 0.1), align=("right", "center_baseline"))
        label, label_in = f"{n:,} ({share(n, total)})", zero_in + length_in + LABEL_GAP_IN
        pen.write(label_in, middle_in, label, colour=FAINT_INK, align=("left", "center_baseline"))
    pen.fill(boxes_in, colour)


def draw_histogram(pen: Pen, box_in: Box, histogram: Histogram, ticks: Mapping[int, str], colour: str) -> None:
    """Draw a histogram of at least one value over octaves, in a box; ticks by value."""
    plot = _new_plot(pen, box_in, max(histogram.counts))
    edges = [math.log2(edge) for edge in histogram.edges]
    missing = max(0.0, NARROWEST_OCTAVES - (edges[-1] - edges[0]))
    low, high = edges[0] - missing / 2, edges[-1] + missing / 2
    octave_in = plot.width_in / (high - low)
    columns = [
        ((left - low) * octave_in, (right - left) * octave_in - LINE_IN, n)
        for (left, right), n in zip(pairwise(edges), histogram.counts, strict=True)
    ]
    _draw_columns(pen, plot, columns, colour)
    shown = {math.log2(value): label for value, label in ticks.items() if low <= math.log2(value) <= high}
    _draw_base(pen, plot, _without_overlaps(pen, {(place - low) * octave_in: label for place, label in shown.items()}))


def draw_pairs(
    pen: Pen, box_in: Box, names: Sequence[str], pairs: Sequence[tuple[int, int]], colours: tuple[str, str]
) -> None:
    """Draw two columns side by side above each name, in a box."""
    plot = _new_plot(pen, box_in, max(map(max, pairs)))
    name_in = plot.width_in / len(names)
    for side, colour in enumerate(colours):
        columns = [(name_in * (place + 0.1 + 0.41 * side), name_in * 0.38, pair[side]) for place, pair in enumerate(pairs)]
        _draw_columns(pen, plot, columns, colour)
    _draw_base(pen, plot, {name_in * (place + 0.5): name for place, name in enumerate(names)})


@dataclass(frozen=True)
class _Plot:
    """Where columns stand; `unit_in` is the height of a count of 1."""

    left_in: float
    bottom_in: float
    width_in: float
    unit_in: float


def _new_plot(pen: Pen, box_in: Box, highest: int) -> _Plot:
    """Put few round numbers, with faint lines, on the left of a box."""
    from matplotlib.ticker import MaxNLocator

    left_in, top_in, width_in, height_in = box_in
    top = HEADROOM * (highest or 1)
    plot = _Plot(left_in + SCALE_IN, top_in - height_in, width_in - SCALE_IN, height_in / top)
    y_in = {n: plot.bottom_in + n * plot.unit_in for n in MaxNLocator(3, integer=True).tick_values(0, top) if 0 <= n <= top}
    pen.fill([(plot.left_in, y, plot.width_in, LINE_IN) for y in y_in.values()], FAINT_LINE)
    for n, y in y_in.items():
        pen.write(plot.left_in - LABEL_GAP_IN, y, f"{n:,.0f}", colour=FAINT_INK, align=("right", "center_baseline"))
    return plot


def _draw_columns(pen: Pen, plot: _Plot, columns: Iterable[tuple[float, float, int]], colour: str) -> None:
    """Draw columns of (left, width, count), their left measured from the plot's."""
    boxes_in = [
        (plot.left_in + left_in, plot.bottom_in + n * plot.unit_in, width_in, n * plot.unit_in)
        for left_in, width_in, n in columns
    ]
    pen.fill(boxes_in, colour)


def _draw_base(pen: Pen, plot: _Plot, labels: Mapping[float, str]) -> None:
    """Draw the line on which columns stand, and labels below it, centred at their distance from its left end."""
    ticks = [(plot.left_in + x, plot.bottom_in, LINE_IN, TICK_IN) for x in labels]
    pen.fill([(plot.left_in, plot.bottom_in, plot.width_in, LINE_IN), *ticks], LINE)
    for x, label in labels.items():
        pen.write(plot.left_in + x, plot.bottom_in - TICK_IN - LABEL_GAP_IN, label, align=("center", "top"))


def _without_overlaps(pen: Pen, labels: Mapping[float, str]) -> dict[float, str]:
    """Leave out labels that would touch the one before them; centres, in inches, ascend."""
    kept: dict[float, str] = {}
    free_from_in = -math.inf
    for centre_in, label in labels.items():
        half_in = pen.width_in(label) / 2
        if centre_in - half_in >= free_from_in:
            kept[centre_in] = label
            free_from_in = centre_in + half_in + LABEL_GAP_IN
    return kept
