"""A library's report as one picture: totals, and a chart for each distribution.

Colours are of Tol's "muted" scheme (Paul Tol, "Colour Schemes", SRON/EPS/TN/09-002, 2021), one a column.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amt_ray.media.charts import FAINT_INK, ROW_IN, Pen, draw_bars, draw_histogram, draw_pairs, new_pen
from amt_ray.media.library_tables import clock, folded, library_tables
from amt_ray.midi.keys import MAJOR_TONICS, MINOR_TONICS
from amt_ray.midi.library import Histogram, LibraryReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 120
COLUMNS, PANEL_IN, COLUMN_GAP_IN, MARGIN_IN = 3, 4.9, 0.3, 0.35
HEAD_IN, TITLE_IN, CHART_IN, ROW_GAP_IN = 1.25, 0.3, 1.7, 0.5
BLUE, GREEN, PURPLE, RED, PALE_BLUE = "#332288", "#117733", "#AA4499", "#CC6677", "#88CCEE"
LENGTH_TICKS_S = {s: clock(s) for s in (1, 5, 15, 30, 60, 120, 300, 600, 1800)} | {
    3600: "1 h",
    10_800: "3 h",
    36_000: "10 h",
}
NOTE_TICKS = {
    1: "1", 3: "3", 10: "10", 30: "30", 100: "100", 300: "300", 1000: "1k", 3000: "3k", 10_000: "10k", 30_000: "30k",
    100_000: "100k", 300_000: "300k", 1_000_000: "1M", 3_000_000: "3M", 10_000_000: "10M",
}  # fmt: skip
TEMPO_TICKS_BPM = {bpm: f"{bpm}" for bpm in (1, 4, 8, 15, 30, 45, 60, 90, 120, 180, 240, 480, 960, 1920, 3840)}


@dataclass(frozen=True)
class _Panel:
    """A chart: its title, its height below that, and how to draw it with its upper left corner somewhere."""

    title: str
    height_in: float
    draw: Callable[[Pen, float, float], None]


def draw_library_sheet(report: LibraryReport) -> bytes:
    """Draw a report as a PNG; the same report and fonts give the same bytes. A distribution of nothing says "none"."""
    from matplotlib import rc_context

    png = io.BytesIO()
    # Letters without hints are spaced evenly, and take two thirds of the time.
    with rc_context({"text.hinting": "no_hinting"}):
        figure = library_figure(report)
        figure.savefig(png, format="png", dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    return png.getvalue()


def library_figure(report: LibraryReport) -> Figure:
    """Lay a report out in rows of charts, each row as high as its highest chart."""
    from matplotlib.figure import Figure

    rows = _rows(report)
    heights_in = [TITLE_IN + max(panel.height_in for panel in row) + ROW_GAP_IN for row in rows]
    width_in = 2 * MARGIN_IN + COLUMNS * PANEL_IN + (COLUMNS - 1) * COLUMN_GAP_IN
    figure = Figure(figsize=(width_in, HEAD_IN + sum(heights_in)), dpi=DPI, facecolor="white")
    pen = new_pen(figure)
    _write_head(pen, report, HEAD_IN + sum(heights_in), width_in - 2 * MARGIN_IN)
    top_in = sum(heights_in)
    for row, row_in in zip(rows, heights_in, strict=True):
        for column, panel in enumerate(row):
            left_in = MARGIN_IN + column * (PANEL_IN + COLUMN_GAP_IN)
            pen.write(left_in, top_in, pen.fitted(panel.title, PANEL_IN, 10), 10, weight="bold")
            panel.draw(pen, left_in, top_in - TITLE_IN)
        top_in -= row_in
    return figure


def _write_head(pen: Pen, report: LibraryReport, top_in: float, width_in: float) -> None:
    tables = library_tables(report)
    pen.write(MARGIN_IN, top_in - 0.2, "Library", 16, weight="bold")
    for line, title in enumerate(("Files", "Music")):
        text = "  ·  ".join(f"{name.lower()} {value}" for name, value in tables[title].items())
        pen.write(MARGIN_IN, top_in - 0.56 - 0.24 * line, pen.fitted(text, width_in, 10), 10, FAINT_INK)


def _rows(report: LibraryReport) -> list[list[_Panel]]:
    n, found = report.accepted, report.articles
    left_out = {**report.rejected_by_reason, "duplicate": report.duplicates, "near_duplicate": report.near_duplicates}
    left_out = dict(sorted(left_out.items(), key=lambda item: -item[1]))
    by_status, by_reason = (found.by_status, found.by_reason) if found else ({}, {})
    asked = sum(by_status.values())
    return [
        [
            _bars(f"Genres ({len(report.genres):,})", folded(report.genres), n, BLUE),
            _bars(f"Artists with most files (of {report.artists:,})", report.top_artists, n, GREEN),
            _bars("Files in which a family of instruments plays", report.families, n, PURPLE),
        ],
        [
            _octaves(f"Length (median {clock(report.median_duration_s)})", report.durations_s, LENGTH_TICKS_S, BLUE),
            _octaves(f"Notes (median {report.median_notes:,.0f})", report.notes, NOTE_TICKS, GREEN),
            _octaves(f"Tempo in bpm (median {report.median_tempo_bpm:.0f})", report.tempi_bpm, TEMPO_TICKS_BPM, PURPLE),
        ],
        [
            _keys(report.keys),
            _bars("Metres", folded(report.time_signatures, 8), n, GREEN),
            _bars("Polyphony", report.polyphony_levels, n, PURPLE),
        ],
        [
            _bars(f"Files left out ({report.total_files - n:,})", left_out, report.total_files, RED),
            _bars("Articles by status", by_status, asked, RED),
            _bars("Why no article on the song", by_reason, asked, RED),
        ],
    ]


def _bars(title: str, counts: Mapping[str, int], total: int, colour: str) -> _Panel:
    shown = {name: n for name, n in counts.items() if n}

    def draw(pen: Pen, left_in: float, top_in: float) -> None:
        draw_bars(pen, left_in, top_in, PANEL_IN, shown, total, colour)

    return _Panel(title, ROW_IN * len(shown), draw) if shown else _nothing(title)


def _octaves(title: str, histogram: Histogram, ticks: Mapping[int, str], colour: str) -> _Panel:
    def draw(pen: Pen, left_in: float, top_in: float) -> None:
        draw_histogram(pen, (left_in, top_in, PANEL_IN, CHART_IN), histogram, ticks, colour)

    return _Panel(title, CHART_IN, draw) if histogram.counts else _nothing(title)


def _keys(counts: Mapping[str, int]) -> _Panel:
    tonics = list(zip(MAJOR_TONICS, MINOR_TONICS, strict=True))
    names = [major if major == minor else f"{major}\n{minor}" for major, minor in tonics]
    pairs = [(counts.get(f"{major} major", 0), counts.get(f"{minor} minor", 0)) for major, minor in tonics]

    def draw(pen: Pen, left_in: float, top_in: float) -> None:
        draw_pairs(pen, (left_in, top_in, PANEL_IN, CHART_IN), names, pairs, (BLUE, PALE_BLUE))

    title = "Keys (dark: major, light: minor)"
    return _Panel(title, CHART_IN, draw) if counts else _nothing(title)


def _nothing(title: str) -> _Panel:
    return _Panel(title, ROW_IN, lambda pen, left_in, top_in: pen.write(left_in, top_in, "none", 9, FAINT_INK))
