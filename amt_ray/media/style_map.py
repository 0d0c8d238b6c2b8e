"""The map of styles: every piece a point, coloured by its style, as a PNG and as a page to explore in a browser.

Both axes have one scale, so that distances mean the same in every direction. Points are drawn in a random order, of a fixed
seed, or the last style would cover the others. The page is `style_map.html` with the data in it: one file, no network.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from itertools import product
from string import Template
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from amt_ray.media.charts import FAINT_INK, FAINT_LINE, Box, Pen, new_pen
from amt_ray.media.library_tables import plural, share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = (
    "#003CA5", "#FF8796", "#87D2F0", "#692D00", "#1E9600", "#B469FF", "#FFD200", "#5A694B",
    "#964B78", "#A5FF96", "#B496B4", "#5A78A5", "#C3875A", "#96B400", "#693CE1", "#96A5F0",
)  # fmt: skip
"""Chosen by search: far apart in CAM02-UCS, from each other and from both papers, also as protanopes, deuteranopes and
tritanopes see them (Machado, Oliveira, Fernandes, 2009); the first ones farthest."""
DPI, WIDTH_IN, HEIGHT_IN = 120, 12.5, 8.0
MAP_BOX_IN: Box = (0.35, 7.05, 8.5, 6.7)
LEGEND_IN, LEGEND_WIDTH_IN, LEGEND_ROW_IN = 9.15, 3.0, 0.42
BADGE_IN, GAP_IN, NAME_IN = 0.24, 0.05, 2.4
EDGE_SHARE = 0.05
GRID = 99_999
"""The page's coordinates are whole numbers from 0 to this."""

Places = npt.NDArray[np.float64]

_ENTRY = Template("""\
<li><button type="button" class="toggle" aria-pressed="true">\
<span class="badge" style="background:$colour;color:$ink">$style</span>\
<span class="name">$name</span><span class="count">$count</span></button>\
<button type="button" class="only" aria-pressed="false" aria-label="Only style $style">only</button></li>""")


@dataclass(frozen=True)
class StylePoint:
    """A piece on the map: `style` is its style's number, x and y are its place in any unit, the same for both."""

    title: str
    artist: str
    style: int
    x: float
    y: float


def draw_style_map(points: Sequence[StylePoint], names: Sequence[str]) -> bytes:
    """Draw a PNG of 1500 by 960 pixels; the same points, names and fonts give the same bytes.

    `names` are the styles' names by number. Raises ValueError for more than 16 of them, a point whose style has no name, or
    one whose place is not finite.
    """
    from matplotlib import rc_context

    png = io.BytesIO()
    with rc_context({"text.hinting": "no_hinting"}):
        style_figure(points, names).savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    return png.getvalue()


def style_figure(points: Sequence[StylePoint], names: Sequence[str]) -> Figure:
    """Lay out the map on the left and the legend on the right; raises as `draw_style_map`."""
    from matplotlib.figure import Figure

    styles, places = _arrays(points, names)
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, facecolor="white")
    pen = new_pen(figure)
    left, top, width, height = MAP_BOX_IN
    pen.write(left, HEIGHT_IN - 0.3, "Styles", 16, weight="bold")
    pen.write(left, HEIGHT_IN - 0.64, _summary(len(points), len(names)), 10, FAINT_INK)
    pen.fill([(left - 0.01, top + 0.01, width + 0.02, height + 0.02)], FAINT_LINE)
    pen.fill([MAP_BOX_IN], "#FFFFFF")
    if points:
        places_in = _fitted(places, MAP_BOX_IN)
        order = _order(len(points))
        size_in, opacity = _dot(len(points))
        _draw_discs(figure, places_in[order], size_in, [COLOURS[style] for style in styles[order]], opacity)
        _draw_labels(pen, names, _centres(styles, places_in))
    _draw_legend(pen, names, np.bincount(styles, minlength=len(names)).tolist())
    return figure


def style_map_html(points: Sequence[StylePoint], names: Sequence[str]) -> str:
    """Return a whole HTML document of 20 KB and about 50 bytes a piece; the same points and names give the same text.

    No title, artist or name can become markup or script. Raises as `draw_style_map`.
    """
    styles, places = _arrays(points, names)
    counts = np.bincount(styles, minlength=len(names)).tolist()
    order = _order(len(points))
    shown = [points[i] for i in order]
    artists = sorted({point.artist for point in shown})
    number = {artist: i for i, artist in enumerate(artists)}
    low, span = (places.min(axis=0), np.ptp(places, axis=0).max() or 1.0) if points else (0.0, 1.0)
    grid = np.rint((places[order] - low) / span * GRID).astype(int)
    data = {
        "names": list(names),
        "colours": COLOURS[: len(names)],
        "artists": artists,
        "titles": [point.title for point in shown],
        "artist": [number[point.artist] for point in shown],
        "style": styles[order].tolist(),
        "x": grid[:, 0].tolist(),
        "y": grid[:, 1].tolist(),
    }
    template = Template(files("amt_ray.media").joinpath("style_map.html").read_text(encoding="utf-8"))
    return template.substitute(
        summary=_summary(len(points), len(names)),
        legend="\n".join(_entry(style, name, counts) for style, name in enumerate(names)),
        # "<" could end the script element that holds the data, or open a comment in it.
        data=json.dumps(data, separators=(",", ":")).replace("<", r"\u003c"),
    )


def _arrays(points: Sequence[StylePoint], names: Sequence[str]) -> tuple[npt.NDArray[np.int64], Places]:
    """Styles int64[N] and places float64[N, 2], validated."""
    if len(names) > len(COLOURS):
        raise ValueError(f"{len(names)} styles are more than the {len(COLOURS)} that can be told apart: use fewer styles")
    styles = np.array([point.style for point in points], np.int64)
    places = np.array([(point.x, point.y) for point in points], np.float64).reshape(-1, 2)
    for point, style, place in zip(points, styles.tolist(), places, strict=True):
        if not 0 <= style < len(names):
            raise ValueError(f"style {style} of {point.title!r} has no name: there are names for 0 to {len(names) - 1}")
        if not np.isfinite(place).all():
            raise ValueError(f"{point.title!r} is at ({place[0]}, {place[1]}): a place must be two finite numbers")
    return styles, places


def _summary(n_points: int, n_styles: int) -> str:
    return f"{plural(n_points, 'piece')} · {plural(n_styles, 'style')}"


def _order(n_points: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(0).permutation(n_points)


def _fitted(places: Places, box_in: Box) -> Places:
    """Scale places into a box in inches, centred, alike in both directions."""
    left, top, width, height = box_in
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.array([width, height]) * (1 - 2 * EDGE_SHARE)
    scales = room / np.where(high > low, high - low, np.inf)
    scale = scales[scales > 0].min(initial=np.inf)
    offsets = (places - (low + high) / 2) * (scale if np.isfinite(scale) else 0)
    placed: Places = offsets + np.array([left + width / 2, top - height / 2])
    return placed


def _dot(n_points: int) -> tuple[float, float]:
    """Diameter in inches and opacity of a point: the more there are, the smaller and the fainter."""
    return float(np.clip(4.2 / np.sqrt(n_points), 0.022, 0.15)), float(np.clip(1.2 - 0.15 * np.log10(n_points), 0.4, 0.9))


def _draw_discs(figure: Figure, places_in: Places, size_in: float, colours: Sequence[str], opacity: float = 1.0) -> None:
    from matplotlib.collections import EllipseCollection

    discs = EllipseCollection(
        [size_in],
        [size_in],
        [0.0],
        units="inches",
        offsets=places_in,
        offset_transform=figure.dpi_scale_trans,
        facecolors=colours,
        alpha=opacity,
        linewidths=0,
    )
    figure.add_artist(discs)


def _centres(styles: npt.NDArray[np.int64], places: Places) -> dict[int, tuple[float, float]]:
    """The median place of each style that has pieces."""
    middles = {style: np.median(places[styles == style], axis=0) for style in np.unique(styles).tolist()}
    return {style: (float(x), float(y)) for style, (x, y) in middles.items()}


def _draw_labels(pen: Pen, names: Sequence[str], centres_in: dict[int, tuple[float, float]]) -> None:
    """Put each style's number at its centre, or beside it where another's is there already, and its name where free."""
    left, _, width, _ = MAP_BOX_IN
    steps = sorted(product(range(-4, 5), repeat=2), key=lambda step: math.hypot(*step))
    badges: list[Box] = []
    for x, y in centres_in.values():
        spots = [(x + BADGE_IN * (1.05 * i - 0.5), y + BADGE_IN * (1.05 * j + 0.5), BADGE_IN, BADGE_IN) for i, j in steps]
        badges.append(next((box for box in spots if _is_free(box, badges)), spots[0]))
    taken = list(badges)
    for style, badge in zip(centres_in, badges, strict=True):
        middle = badge[1] - BADGE_IN / 2
        _draw_discs(pen.figure, np.array([[badge[0] + BADGE_IN / 2, middle]]), BADGE_IN * 1.15, ["#FFFFFF"])
        _draw_badge(pen, style, badge[0] + BADGE_IN / 2, middle)
        name = pen.fitted(names[style], NAME_IN)
        name_width = pen.width_in(name) + 2 * GAP_IN
        for start in (badge[0] + BADGE_IN, badge[0] - name_width):
            box = (start, badge[1], name_width, BADGE_IN)
            if left <= start and start + name_width <= left + width and _is_free(box, taken):
                taken.append(box)
                _write_on_points(pen, start + GAP_IN, middle, name)
                break


def _is_free(box: Box, taken: Sequence[Box]) -> bool:
    """Whether a box overlaps no other one."""
    left, top, width, height = box
    return not any(
        left < other_left + other_width
        and other_left < left + width
        and top - height < other_top
        and other_top - other_height < top
        for other_left, other_top, other_width, other_height in taken
    )


def _write_on_points(pen: Pen, left_in: float, middle_in: float, text: str) -> None:
    from matplotlib.patheffects import withStroke

    pen.write(left_in, middle_in, text, align=("left", "center_baseline"))
    pen.figure.texts[-1].set_path_effects([withStroke(linewidth=3, foreground="white")])


def _draw_badge(pen: Pen, style: int, x_in: float, y_in: float) -> None:
    _draw_discs(pen.figure, np.array([[x_in, y_in]]), BADGE_IN, [COLOURS[style]])
    pen.write(x_in, y_in, str(style), colour=_ink_on(COLOURS[style]), weight="bold", align=("center", "center_baseline"))


def _ink_on(colour: str) -> str:
    """Black or white, whichever contrasts more with a colour, by relative luminance (WCAG 2.2)."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return "#000000" if linear @ [0.2126, 0.7152, 0.0722] > 0.179 else "#FFFFFF"


def _draw_legend(pen: Pen, names: Sequence[str], counts: Sequence[int]) -> None:
    top = MAP_BOX_IN[1]
    for style, (name, n) in enumerate(zip(names, counts, strict=True)):
        middle = top - LEGEND_ROW_IN * (style + 0.5)
        _draw_badge(pen, style, LEGEND_IN + BADGE_IN / 2, middle)
        text_in = LEGEND_IN + BADGE_IN + 2 * GAP_IN
        pen.write(
            text_in, middle + 0.08, pen.fitted(name, LEGEND_WIDTH_IN - BADGE_IN, 9.5), 9.5, align=("left", "center_baseline")
        )
        count = f"{n:,} ({share(n, sum(counts))})"
        pen.write(text_in, middle - 0.09, count, colour=FAINT_INK, align=("left", "center_baseline"))


def _entry(style: int, name: str, counts: Sequence[int]) -> str:
    colour, count = COLOURS[style], f"{counts[style]:,} ({share(counts[style], sum(counts))})"
    return _ENTRY.substitute(style=style, name=escape(name), count=count, colour=colour, ink=_ink_on(colour))
