"""A piece as a picture: pitch over bars, one colour an instrument, velocity as opacity, drums in a lane of their own.

Conventions: x is in quarter notes, y in MIDI pitches; sizes in inches. Colours are Tol's "muted" scheme (Paul Tol, "Colour
Schemes", SRON/EPS/TN/09-002, 2021), which colour-blind readers can tell apart. matplotlib is used through its figure
objects, never `pyplot`, so that threads may draw at the same time.
"""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from amt_ray.midi.instruments import DRUMS, INSTRUMENTS
from amt_ray.midi.keys import estimate_key
from amt_ray.midi.piece import FloatArray, IntArray, Notes, Piece

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 160
NARROWEST_IN, WIDEST_IN = 8.0, 15.0
"""Width of the picture: 1280 to 2400 pixels."""
LEFT_IN, RIGHT_IN, BOTTOM_IN, TITLE_IN, LEGEND_ROW_IN = 1.15, 0.25, 0.5, 0.26, 0.24
MAX_DRUM_NAMES = 14

# By preference for few instruments; at most as many instruments as colours are told apart, the rest share one grey.
COLOURS = ("#332288", "#CC6677", "#117733", "#44AA99", "#882255", "#DDAA33", "#88CCEE", "#999933", "#AA4499")
OTHERS_COLOUR, DRUM_COLOUR, INK, FAINT_INK = "#8A8A8A", "#3B3B3B", "#222222", "#666666"

# General MIDI Level 1 percussion key map (MMA, 1991), keys 35 to 81.
_PERCUSSION_MAP = (
    "acoustic bass drum, bass drum, side stick, snare, hand clap, electric snare, low floor tom, closed hi-hat, "
    "high floor tom, pedal hi-hat, low tom, open hi-hat, low-mid tom, hi-mid tom, crash, high tom, ride, china, "
    "ride bell, tambourine, splash, cowbell, crash 2, vibraslap, ride 2, high bongo, low bongo, mute conga, "
    "open conga, low conga, high timbale, low timbale, high agogo, low agogo, cabasa, maracas, short whistle, "
    "long whistle, short guiro, long guiro, claves, high woodblock, low woodblock, mute cuica, open cuica, "
    "mute triangle, open triangle"
)
DRUM_NAMES = tuple(_PERCUSSION_MAP.split(", "))
FIRST_DRUM = 35
_NAMED_PITCHES = {0: "C", 4: "E", 7: "G"}


def draw_piano_roll(piece: Piece, title: str = "") -> bytes:
    """Draw a piece as a PNG of 1280 to 2400 pixels' width; the same piece and title give the same bytes.

    An empty piece gives empty bars. `title` stands above a caption of key, metre, tempo, length; it is cut after two lines.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    bars = bar_starts(piece)
    width_in = float(np.clip(2.5 + 0.2 * bars[-1], NARROWEST_IN, WIDEST_IN))
    pitched, drums = _split(piece.notes)
    colours = _colours(pitched.program)
    lines = textwrap.wrap(title, int((width_in - LEFT_IN) * 8.5), max_lines=2, placeholder=" …")
    legend_rows = -(-len(colours) // _legend_columns(width_in))
    roll_in = _roll_height_in(pitched) if len(pitched) or not len(drums) else 0.0
    lane_in = 0.3 + 0.15 * min(len(np.unique(drums.pitch)), 24) if len(drums) else 0.0
    gap_in = 0.12 if roll_in and lane_in else 0.0
    head_in = 0.45 + TITLE_IN * (len(lines) + 1) + LEGEND_ROW_IN * legend_rows
    height_in = BOTTOM_IN + lane_in + gap_in + roll_in + head_in

    figure = Figure(figsize=(width_in, height_in), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _write_head(figure, lines, caption(piece), colours)
    axes = []
    if roll_in:
        axes.append(_add_axes(figure, BOTTOM_IN + lane_in + gap_in, roll_in, bars))
        _draw_notes(axes[0], pitched, piece.ticks_per_quarter, colours)
    if lane_in:
        axes.append(_add_axes(figure, BOTTOM_IN, lane_in, bars))
        _draw_drums(axes[-1], drums, piece.ticks_per_quarter)
    _label_bars(axes[-1], bars, int(width_in * 2))
    _label_seconds(axes[0], piece, bars[-1])
    for upper in axes[:-1]:
        upper.tick_params(axis="x", which="both", labelbottom=False, bottom=False)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    return png.getvalue()


def bar_starts(piece: Piece) -> FloatArray:
    """Positions of the bar lines in quarter notes, ascending float64[n_bars + 1]; the last one ends the piece.

    A change of metre begins a bar, as in Standard MIDI Files 1.0. At least one bar, also for an empty piece.
    """
    bar_ticks = np.maximum(piece.metre_numerator * piece.ticks_per_quarter * 4 // piece.metre_denominator, 1)
    changes = piece.metre_ticks < max(piece.end_ticks, 1)
    segments = list(zip(piece.metre_ticks[changes].tolist(), bar_ticks[changes].tolist(), strict=True))
    stops = [start for start, _ in segments[1:]] + [max(piece.end_ticks, 1)]
    starts = [np.arange(start, stop, size) for (start, size), stop in zip(segments, stops, strict=True)]
    end = starts[-1][-1] + segments[-1][1]
    return np.append(np.concatenate(starts), end) / piece.ticks_per_quarter


def caption(piece: Piece) -> str:
    """Key, metre, mean tempo, bars, length and notes in a line, as `"D minor · 4/4 · 120 bpm · 8 bars · 0:16 · 64 notes"`.

    The key is the one that the file names, else the one estimated from the notes, and then says so; drums have none.
    """
    pitched, _ = _split(piece.notes)
    estimate, _ = estimate_key(pitched.pitch, pitched.duration_ticks)
    key = piece.key or (f"{estimate} (estimated)" if estimate else None)
    pairs = zip(piece.metre_numerator.tolist(), piece.metre_denominator.tolist(), strict=True)
    metres = list(dict.fromkeys(f"{n}/{d}" for n, d in pairs))
    shown = ", ".join(metres[:3]) + (" …" if len(metres) > 3 else "")
    quarters, minutes = piece.end_ticks / piece.ticks_per_quarter, piece.duration_s / 60
    tempo = f"{quarters / minutes if minutes else float(piece.tempo_bpm[0]):.0f} bpm"
    n_bars, n_notes = len(bar_starts(piece)) - 1, len(piece.notes)
    counted_bars, counted_notes = f"{n_bars:,} bar{'s' * (n_bars != 1)}", f"{n_notes:,} note{'s' * (n_notes != 1)}"
    length = _clock(piece.duration_s) if piece.duration_s >= 10 else f"{piece.duration_s:.1f} s"
    parts = [key if len(pitched) else None, shown, tempo, counted_bars, length, counted_notes]
    return " · ".join(part for part in parts if part)


def _split(notes: Notes) -> tuple[Notes, Notes]:
    is_drum = notes.program == DRUMS
    return notes.take(~is_drum), notes.take(is_drum)


def _colours(programs: IntArray) -> dict[int, str]:
    """A colour for each program, those with most notes first; programs beyond the palette share a grey."""
    present, counts = np.unique(programs, return_counts=True)
    by_notes = present[np.argsort(-counts, kind="stable")].tolist()
    n_own = min(len(by_notes), len(COLOURS))
    return {program: COLOURS[i] if i < n_own else OTHERS_COLOUR for i, program in enumerate(by_notes)}


def _roll_height_in(pitched: Notes) -> float:
    span = int(np.ptp(pitched.pitch)) if len(pitched) else 12
    return float(np.clip(0.07 * span + 0.6, 1.8, 5.5))


def _legend_columns(width_in: float) -> int:
    return int(width_in / 2.1)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _write_head(figure: Figure, lines: list[str], caption_line: str, colours: dict[int, str]) -> None:
    from matplotlib.patches import Patch

    width_in, height_in = figure.get_size_inches()
    left, y_in = LEFT_IN / width_in, height_in - 0.14
    rows = [(line, 13, INK, "bold") for line in lines] + [(caption_line, 9.5, FAINT_INK, "normal")]
    for text, size_pt, colour, weight in rows:
        # A dollar sign in a title is a dollar sign, not mathematics.
        figure.text(left, y_in / height_in, text, size=size_pt, color=colour, weight=weight, va="top", parse_math=False)
        y_in -= TITLE_IN
    own = {program: colour for program, colour in colours.items() if colour != OTHERS_COLOUR}
    handles = [Patch(color=colour, label=INSTRUMENTS[program]) for program, colour in own.items()]
    if len(own) < len(colours):
        handles.append(Patch(color=OTHERS_COLOUR, label=f"{len(colours) - len(own)} more"))
    if handles:
        figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(left, (y_in + 0.02) / height_in),
            ncols=_legend_columns(width_in),
            frameon=False,
            fontsize=9,
            borderpad=0,
            borderaxespad=0,
            handlelength=1.0,
            handleheight=0.8,
            handletextpad=0.5,
            columnspacing=1.6,
            labelcolor=INK,
        )


def _add_axes(figure: Figure, bottom_in: float, axes_height_in: float, bars: FloatArray) -> Axes:
    width_in, height_in = figure.get_size_inches()
    box = (LEFT_IN, bottom_in, width_in - LEFT_IN - RIGHT_IN, axes_height_in)
    axes = figure.add_axes((box[0] / width_in, box[1] / height_in, box[2] / width_in, box[3] / height_in))
    axes.set_xlim(0, bars[-1])
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#BBBBBB")
    if len(bars) <= 260:
        axes.vlines(bars, 0, 1, transform=axes.get_xaxis_transform(), colors="#DADADA", linewidths=0.6, zorder=0.5)
    return axes


def _rectangles(left: FloatArray, right: FloatArray, y: FloatArray, half_height: float) -> FloatArray:
    """Corners float64[N, 4, 2] of N rectangles."""
    x = np.stack([left, left, right, right], axis=1)
    corners = np.array([-half_height, half_height, half_height, -half_height])
    return np.stack([x, y[:, None] + corners], axis=2)


def _add_rectangles(axes: Axes, corners: FloatArray, colours: list[str], velocity: IntArray) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba_array

    faces: npt.NDArray[np.float64] = to_rgba_array(colours)
    faces[:, 3] = 0.3 + 0.7 * velocity / 127
    edges = faces * [0.8, 0.8, 0.8, 1.0]
    thin = 0.4 if len(corners) < 4000 else 0.0
    axes.add_collection(PolyCollection(list(corners), facecolors=faces, edgecolors=edges, linewidths=thin, zorder=2))


def _draw_notes(axes: Axes, notes: Notes, ticks_per_quarter: int, colours: dict[int, str]) -> None:
    lowest, highest = (int(notes.pitch.min()), int(notes.pitch.max())) if len(notes) else (60, 60)
    lacking = max(0, 14 - (highest - lowest))
    low, high = lowest - 1.5 - lacking // 2, highest + 1.5 + (lacking - lacking // 2)
    axes.set_ylim(low, high)
    rows = np.arange(int(np.ceil(low)), int(high) + 1)
    for black_key in rows[np.isin(rows % 12, (1, 3, 6, 8, 10))].tolist():
        axes.axhspan(black_key - 0.5, black_key + 0.5, color="#F4F4F4", linewidth=0, zorder=0.1)
    octaves = rows[rows % 12 == 0]
    axes.hlines(octaves - 0.5, 0, 1, transform=axes.get_yaxis_transform(), colors="#CFCFCF", linewidths=0.6, zorder=0.4)
    shown = rows[np.isin(rows % 12, (0, 4, 7))] if len(rows) <= 20 else octaves
    axes.set_yticks(shown, [f"{_NAMED_PITCHES[p % 12]}{p // 12 - 1}" for p in shown.tolist()])
    axes.tick_params(axis="y", labelsize=9, labelcolor=INK, length=0)
    if len(notes):
        start = notes.onset_ticks / ticks_per_quarter
        # A note stays visible in a long piece: at least a thousandth of its length.
        width = np.maximum(notes.duration_ticks / ticks_per_quarter, axes.get_xlim()[1] / 1000)
        corners = _rectangles(start, start + width, notes.pitch.astype(np.float64), 0.42)
        _add_rectangles(axes, corners, [colours[p] for p in notes.program.tolist()], notes.velocity)


def _draw_drums(axes: Axes, drums: Notes, ticks_per_quarter: int) -> None:
    used, row = np.unique(drums.pitch, return_inverse=True)
    axes.set_ylim(-0.8, len(used) - 0.2)
    names = [DRUM_NAMES[p - FIRST_DRUM] if 0 <= p - FIRST_DRUM < len(DRUM_NAMES) else f"key {p}" for p in used.tolist()]
    if len(used) <= MAX_DRUM_NAMES:
        axes.set_yticks(np.arange(len(used)), names)
    else:
        axes.set_yticks([(len(used) - 1) / 2], ["drums"])
    axes.tick_params(axis="y", labelsize=7.5, labelcolor=INK, length=0)
    onset = drums.onset_ticks / ticks_per_quarter
    # A stroke is 0.1 quarter notes wide where that can be seen and told from the next.
    half_width = float(np.clip(0.05, axes.get_xlim()[1] / 3500, axes.get_xlim()[1] / 1200))
    corners = _rectangles(onset, onset + 2 * half_width, row.astype(np.float64), 0.36)
    _add_rectangles(axes, corners, [DRUM_COLOUR] * len(drums), drums.velocity)


def _label_bars(axes: Axes, bars: FloatArray, max_labels: int) -> None:
    n_bars = len(bars) - 1
    step = next(2**k for k in range(64) if n_bars <= max_labels * 2**k)
    axes.set_xticks(bars[:-1:step], [f"{1 + i:,}" for i in range(0, n_bars, step)])
    axes.tick_params(axis="x", labelsize=9, labelcolor=INK, color="#BBBBBB")
    axes.set_xlabel("bar", size=9, color=FAINT_INK)


def _label_seconds(axes: Axes, piece: Piece, end_quarters: float) -> None:
    """Put clock times above the roll; tempo changes make their distances uneven."""
    quarters = np.union1d(np.linspace(0, end_quarters, 1000), piece.tempo_ticks / piece.ticks_per_quarter)
    seconds = piece.seconds_at(np.round(quarters * piece.ticks_per_quarter).astype(np.int64))
    last_s = float(np.interp(end_quarters, quarters, seconds))
    step_s = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600) if last_s / s <= 14), 1800)
    times_s = np.arange(0, last_s, step_s)
    top = axes.secondary_xaxis("top")
    top.set_xticks(np.interp(times_s, seconds, quarters), [_clock(t) for t in times_s.tolist()])
    top.tick_params(labelsize=8, labelcolor=FAINT_INK, color="#BBBBBB", length=3)
    top.spines["top"].set_color("#DADADA")
