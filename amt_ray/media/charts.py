"""Charts on a matplotlib figure, one to a box: bars with names, histograms over octaves, columns in pairs.

Sizes are in inches, fonts in points. Every text is cut to the room that it has, measured in its own font, so that no two
overlap; a letter that no font has becomes "□".
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from amt_ray.media.library_tables import share
from amt_ray.midi.library import Histogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

INK, FAINT_INK, LINE = "#222222", "#666666", "#BBBBBB"
ROW_IN, NAMES_IN, COUNTS_IN, SCALE_IN = 0.21, 1.9, 1.0, 0.45
"""Height of a bar with its name; room left and right of bars; room left of a histogram."""
LABEL_PT, LABEL_GAP_IN = 8.5, 0.05
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

    def font(self, size_pt: float = LABEL_PT, weight: str = "normal") -> FontProperties:
        """Return the fonts at a size, those later in the list standing in for letters that the first lacks."""
        from matplotlib.font_manager import FontProperties

        return FontProperties(family=list(self.families), size=size_pt, weight=weight)

    def width_in(self, text: str, size_pt: float = LABEL_PT) -> float:
        """Measure a line of text."""
        width_px: float = self.renderer.get_text_width_height_descent(text, self.font(size_pt), ismath=False)[0]
        return width_px / self.figure.dpi

    def fitted(self, text: str, width_in: float, size_pt: float = LABEL_PT) -> str:
        """Put text on one line that is at most `width_in` wide; what is cut ends in "…"."""
        line = "".join(letter if letter in self.letters else UNKNOWN_LETTER for letter in " ".join(text.split()))
        if self.width_in(line, size_pt) <= width_in:
            return line
        ends = range(len(line))
        n_fitting = bisect_right(ends, width_in, key=lambda end: self.width_in(f"{line[:end].rstrip()}…", size_pt))
        return f"{line[: max(n_fitting - 1, 0)].rstrip()}…"

    def write(self, left_in: float, top_in: float, text: str, size_pt: float, colour: str, weight: str = "normal") -> None:
        """Write a line of text; `top_in` is measured from the figure's lower edge."""
        width_in, height_in = self.figure.get_size_inches()
        font = self.font(size_pt, weight)
        self.figure.text(
            left_in / width_in, top_in / height_in, text, fontproperties=font, color=colour, va="top", parse_math=False
        )

    def axes(self, left_in: float, top_in: float, width_in: float, height_in: float) -> Axes:
        """Add a box for a chart, its upper left corner at (left_in, top_in), without a frame."""
        full_width_in, full_height_in = self.figure.get_size_inches()
        bottom_in = top_in - height_in
        axes = self.figure.add_axes(
            (left_in / full_width_in, bottom_in / full_height_in, width_in / full_width_in, height_in / full_height_in)
        )
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(LINE)
        axes.set_axisbelow(True)
        axes.tick_params(length=0, labelcolor=INK)
        return axes


def new_pen(figure: Figure) -> Pen:
    """Give a figure an Agg canvas; find which of FONTS are installed, and the letters that they have."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.font_manager import findfont, fontManager, get_font

    installed = {entry.name for entry in fontManager.ttflist}
    families = tuple(name for name in FONTS if name in installed)
    letters = frozenset(chr(code) for name in families for code in get_font(findfont(name)).get_charmap())
    canvas: Any = FigureCanvasAgg(figure)
    return Pen(figure, canvas.get_renderer(), families, letters)


def draw_bars(
    pen: Pen, left_in: float, top_in: float, width_in: float, counts: Mapping[str, int], total: int, colour: str
) -> None:
    """Draw a horizontal bar for each count, its name on the left, the count and its share of the total on the right."""
    bars_in = width_in - NAMES_IN - COUNTS_IN
    axes = pen.axes(left_in + NAMES_IN, top_in, bars_in, ROW_IN * len(counts))
    axes.spines["bottom"].set_visible(False)
    axes.set(xlim=(0, max(counts.values()) or 1), ylim=(len(counts) - 0.5, -0.5), xticks=[])
    axes.barh(range(len(counts)), list(counts.values()), height=0.68, color=colour)
    names = [pen.fitted(name, NAMES_IN - 0.1) for name in counts]
    axes.set_yticks(range(len(counts)), names, fontproperties=pen.font(), parse_math=False)
    for row, n in enumerate(counts.values()):
        label = f" {n:,} ({share(n, total)})"
        axes.text(n, row, label, fontproperties=pen.font(), color=FAINT_INK, va="center_baseline")


def draw_histogram(
    pen: Pen, box_in: tuple[float, float, float, float], histogram: Histogram, ticks: Mapping[int, str], colour: str
) -> None:
    """Draw a histogram of at least one value over octaves, in a box of (left, top, width, height); ticks by value."""
    left_in, top_in, width_in, height_in = box_in
    axes = pen.axes(left_in + SCALE_IN, top_in, width_in - SCALE_IN, height_in)
    edges = [math.log2(edge) for edge in histogram.edges]
    widths = [right - left for left, right in pairwise(edges)]
    axes.bar(edges[:-1], histogram.counts, widths, align="edge", color=colour, edgecolor="white", linewidth=0.6)
    missing = max(0.0, NARROWEST_OCTAVES - (edges[-1] - edges[0]))
    low, high = edges[0] - missing / 2, edges[-1] + missing / 2
    axes.set_xlim(low, high)
    octave_in = (width_in - SCALE_IN) / (high - low)
    shown = {math.log2(value): label for value, label in ticks.items() if low <= math.log2(value) <= high}
    shown = _without_overlaps(pen, shown, octave_in)
    axes.set_xticks(list(shown), list(shown.values()), fontproperties=pen.font())
    _scale(pen, axes)


def draw_pairs(
    pen: Pen,
    box_in: tuple[float, float, float, float],
    names: Sequence[str],
    pairs: Sequence[tuple[int, int]],
    colours: tuple[str, str],
) -> None:
    """Draw two columns side by side above each name, in a box of (left, top, width, height)."""
    left_in, top_in, width_in, height_in = box_in
    axes = pen.axes(left_in + SCALE_IN, top_in, width_in - SCALE_IN, height_in)
    for side, colour in enumerate(colours):
        positions = [place + 0.4 * side - 0.2 for place in range(len(names))]
        axes.bar(positions, [pair[side] for pair in pairs], 0.38, color=colour)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_xticks(range(len(names)), names, fontproperties=pen.font())
    _scale(pen, axes)


def _without_overlaps(pen: Pen, labels: Mapping[float, str], unit_in: float) -> dict[float, str]:
    """Leave out labels that would touch the one before them; places ascend, `unit_in` inches to 1."""
    kept: dict[float, str] = {}
    free_from_in = -math.inf
    for place, label in labels.items():
        half_in = pen.width_in(label) / 2
        if place * unit_in - half_in >= free_from_in:
            kept[place] = label
            free_from_in = place * unit_in + half_in + LABEL_GAP_IN
    return kept


def _scale(pen: Pen, axes: Axes) -> None:
    """Put few round numbers, with faint lines, on the left, and small ticks below."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.tick_params(axis="x", length=3, color=LINE)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="y", color="#E4E4E4", linewidth=0.6)
    for label in axes.get_yticklabels():
        label.set(fontproperties=pen.font(), color=FAINT_INK)
