import io
import itertools
import json
import math
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import EllipseCollection
from matplotlib.colors import to_hex

from amt_ray.media.style_map import (
    COLOURS,
    DPI,
    MAP_BOX_IN,
    StylePoint,
    draw_style_map,
    style_figure,
    style_map_html,
)

EVIL = "</script><script>bad()</script><img src=x onerror=bad()> <!-- $title ${text} \\u003c A$AP $x$"
POINTS = [
    StylePoint("Fernando", "ABBA", 0, 0.0, 0.0),
    StylePoint("Waterloo", "ABBA", 0, 2.0, 0.0),
    StylePoint("Für Elise", "Beethoven", 1, 2.0, 1.0),
    StylePoint("Air", "Bach", 0, 1.0, 0.5),
]
NAMES = ["pop, disco", "piano", "empty"]
# Machado, Oliveira, Fernandes (2009), severity 1.0, on linear RGB.
DICHROMATS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


class Page(HTMLParser):
    """Tags, the texts within each kind of tag, and the data; fails on tags that do not match."""

    VOID = ("meta", "input")

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.open = [], {}, []
        self.feed(html)
        assert self.open == []
        self.data = json.loads(self.texts["script"][0])

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag, kind):
        return [attrs for name, attrs in self.tags if name == tag and attrs.get("class") == kind]


def figure_of(points=POINTS, names=NAMES):
    return style_figure(points, names)


def points_drawn(figure):
    """Place in inches and colour of each point, which are the first discs that are drawn."""
    discs = next(artist for artist in figure.findobj(EllipseCollection))
    return [
        (tuple(place), to_hex(colour)) for place, colour in zip(discs.get_offsets(), discs.get_facecolors(), strict=True)
    ]


places = st.floats(allow_nan=False, allow_infinity=False, width=32)


def cloud(n_points, n_styles):
    rng = np.random.default_rng(1)
    rows = zip(rng.integers(0, n_styles, n_points).tolist(), rng.normal(size=(n_points, 2)).tolist(), strict=True)
    return [StylePoint("t", "a", style, x, y) for style, (x, y) in rows]


def test_points_keep_their_places_to_one_scale_and_have_their_styles_colours():
    drawn = {colour: [] for colour in COLOURS}
    for place, colour in points_drawn(figure_of()):
        drawn[colour.upper()].append(place)
    (elise,) = drawn[COLOURS[1]]
    fernando, air, waterloo = sorted(drawn[COLOURS[0]])
    unit = waterloo[0] - fernando[0]
    assert unit > 0
    assert waterloo[1] == pytest.approx(fernando[1])
    assert elise == pytest.approx((waterloo[0], waterloo[1] + unit / 2))
    assert air == pytest.approx((fernando[0] + unit / 2, fernando[1] + unit / 4))


@pytest.mark.parametrize("shape", [(1.0, 1.0), (100.0, 1.0), (1.0, 100.0), (1e-6, 1e-6), (0.0, 5.0)])
def test_points_fill_the_map_and_stay_inside(shape):
    rng = np.random.default_rng(0)
    points = [StylePoint("", "", 0, x, y) for x, y in (rng.random((200, 2)) * shape + 7).tolist()]
    places_in = np.array([place for place, _ in points_drawn(figure_of(points))])
    left, top, width, height = MAP_BOX_IN
    low, high = places_in.min(axis=0), places_in.max(axis=0)
    assert (low + high) / 2 == pytest.approx([left + width / 2, top - height / 2])
    assert max((high - low) / [width, height]) == pytest.approx(0.9)


def test_the_legend_gives_name_count_and_share():
    texts = [text.get_text() for text in figure_of().texts]
    assert texts[:2] == ["Styles", "4 pieces · 3 styles"]
    assert texts[-9:] == ["0", "pop, disco", "3 (75%)", "1", "piano", "1 (25%)", "2", "empty", "0 (0%)"]


def test_a_style_is_named_at_its_median_place():
    figure = figure_of([*POINTS, StylePoint("far away", "", 0, 1.0, -9.0)])
    places = sorted(place for place, colour in points_drawn(figure) if colour.upper() == COLOURS[0])
    badge = next(text for text in figure.texts if text.get_text() == "0")
    assert badge.get_position() == pytest.approx(np.median(places, axis=0))
    assert [text.get_text() for text in figure.texts].count("pop, disco") == 2


@pytest.mark.parametrize("n_styles", [2, 16])
def test_numbers_of_styles_in_one_place_do_not_overlap(n_styles):
    names = [f"a name {i}" for i in range(n_styles)]
    figure = figure_of([StylePoint("", "", i, 0.0, 0.0) for i in range(n_styles)], names)
    texts = [(text.get_text(), text.get_window_extent()) for text in figure.texts]
    for (one, box), (other, other_box) in itertools.combinations(texts, 2):
        assert not (box.x0 < other_box.x1 - 1 and other_box.x0 < box.x1 - 1 and box.overlaps(other_box)), (one, other)


@pytest.mark.parametrize(("n_points", "size_in", "opacity"), [(12, 0.15, 0.9), (4000, 0.066, 0.66), (100_000, 0.022, 0.45)])
def test_the_more_points_the_smaller_and_fainter(n_points, size_in, opacity):
    discs = next(artist for artist in figure_of(cloud(n_points, 3)).findobj(EllipseCollection))
    assert discs.get_widths().tolist() == pytest.approx([size_in], abs=0.001)
    assert discs.get_alpha() == pytest.approx(opacity, abs=0.01)
    assert len(discs.get_offsets()) == n_points


def test_no_style_lies_above_another():
    colours = [
        colour for _, colour in points_drawn(figure_of(sorted(cloud(2000, 2), key=lambda point: point.style), ["a", "b"]))
    ]
    assert 400 < sum(one != other for one, other in itertools.pairwise(colours)) < 1600


def test_same_points_same_bytes_and_no_metadata():
    png, html = draw_style_map(POINTS, NAMES), style_map_html(POINTS, NAMES)
    assert png == draw_style_map(POINTS, NAMES) != draw_style_map(POINTS[:3], NAMES)
    assert html == style_map_html(POINTS, NAMES) != style_map_html(POINTS[:3], NAMES)
    assert b"tEXt" not in png
    assert matplotlib.image.imread(io.BytesIO(png)).shape[:2] == (8 * DPI, 12.5 * DPI)


@pytest.mark.parametrize("points", [[], POINTS[:1], [POINTS[0], POINTS[0]], POINTS[:2], POINTS[1:3]])
def test_points_that_span_no_area_are_drawn_too(points):
    figure = figure_of(points)
    assert [text.get_text() for text in figure.texts][1].startswith(f"{len(points)} piece")
    if points:
        assert np.isfinite([place for place, _ in points_drawn(figure)]).all()
    assert len(Page(style_map_html(points, NAMES)).data["x"]) == len(points)


@pytest.mark.parametrize("draw", [draw_style_map, style_map_html])
@pytest.mark.parametrize(
    ("point", "names", "message"),
    [
        (POINTS[2], ["pop"], "style 1 of 'Für Elise' has no name: there are names for 0 to 0"),
        (StylePoint("Air", "", -1, 0, 0), ["pop"], "style -1 of 'Air' has no name"),
        (StylePoint("Air", "", 0, math.nan, 0), ["pop"], r"'Air' is at \(nan, 0.0\): a place must be two finite numbers"),
        (StylePoint("Air", "", 0, 0, math.inf), ["pop"], r"\(0.0, inf\)"),
        (POINTS[0], ["pop"] * 17, "17 styles are more than the 16 that can be told apart"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw, point, names, message):
    with pytest.raises(ValueError, match=message):
        draw([point], names)


def test_the_page_holds_every_piece():
    data = Page(style_map_html(POINTS, NAMES)).data
    assert data["names"] == NAMES
    assert data["colours"] == list(COLOURS[:3])
    rows = zip(data["titles"], data["artist"], data["style"], data["x"], data["y"], strict=True)
    held = {(title, data["artists"][artist], style, x, y) for title, artist, style, x, y in rows}
    assert held == {
        ("Fernando", "ABBA", 0, 0, 0),
        ("Waterloo", "ABBA", 0, 99_999, 0),
        ("Für Elise", "Beethoven", 1, 99_999, 50_000),
        ("Air", "Bach", 0, 50_000, 25_000),
    }


def test_the_page_has_a_button_for_each_style_and_names_for_its_controls():
    page = Page(style_map_html(POINTS, NAMES))
    assert [attrs["aria-pressed"] for attrs in page.all("button", "toggle")] == ["true"] * 3
    assert [attrs["aria-label"] for attrs in page.all("button", "only")] == ["Only style 0", "Only style 1", "Only style 2"]
    styles = [attrs["style"] for attrs in page.all("span", "badge")]
    assert styles == [f"background:{COLOURS[0]};color:#FFFFFF", *(f"background:{c};color:#000000" for c in COLOURS[1:3])]
    assert [text for text in page.texts["span"] if text.strip()] == [
        *("0", "pop, disco", "3 (75%)", "1", "piano", "1 (25%)", "2", "empty", "0 (0%)")
    ]
    assert {attrs["for"] for tag, attrs in page.tags if tag == "label"} == {
        attrs["id"] for tag, attrs in page.tags if tag == "input"
    }
    assert all(attrs["type"] == "button" for tag, attrs in page.tags if tag == "button")


def test_the_page_needs_and_may_load_nothing():
    html = style_map_html(POINTS, NAMES)
    page = Page(html)
    assert "http:" not in html
    assert "https:" not in html
    assert "url(" not in html
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    assert not {"img", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert "innerHTML" not in html


@given(st.text() | st.just(EVIL), st.text() | st.just(EVIL), st.text() | st.just(EVIL))
def test_no_text_becomes_markup(title, artist, name):
    page = Page(style_map_html([StylePoint(title, artist, 0, 0, 0)], [name]))
    plain = Page(style_map_html([StylePoint("t", "a", 0, 0, 0)], ["n"]))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert (page.data["titles"], page.data["artists"], page.data["names"]) == ([title], [artist], [name])
    assert page.texts["script"][1] == plain.texts["script"][1]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.text(max_size=80) | st.just(EVIL), min_size=1, max_size=4))
def test_any_name_can_be_drawn(names):
    points = [StylePoint("", "", style, float(style), 0.0) for style in range(len(names))]
    assert draw_style_map(points, names)[:4] == b"\x89PNG"


@given(st.lists(st.tuples(st.integers(0, 15), places, places), max_size=20))
def test_every_point_of_the_page_is_on_its_grid(rows):
    points = [StylePoint("t", "a", style, x, y) for style, x, y in rows]
    data = Page(style_map_html(points, [str(i) for i in range(16)])).data
    assert sorted(data["style"]) == sorted(style for style, _, _ in rows)
    assert all(0 <= place <= 99_999 for place in (*data["x"], *data["y"]))
    if len(set(rows)) > 1 and len({row[1:] for row in rows}) > 1:
        assert max(*data["x"], *data["y"]) == 99_999


def lab(linear):
    """CIE 1976 L*a*b* of linear sRGB, white D65."""
    xyz = linear @ np.array(
        [[0.4124564, 0.2126729, 0.0193339], [0.3575761, 0.7151522, 0.119192], [0.1804375, 0.072175, 0.9503041]]
    )
    t = xyz / [0.95047, 1.0, 1.08883]
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@pytest.mark.parametrize("sight", ["normal", *DICHROMATS])
def test_colours_can_be_told_apart(sight):
    paper = ["#FFFFFF", "#1E1E27"]
    encoded = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in (*COLOURS, *paper)])
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = lab(np.clip(linear @ np.array(DICHROMATS.get(sight, np.eye(3))).T, 0, 1))
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=2) + 1e9 * np.eye(len(seen))
    assert distances.min() >= (20 if sight == "normal" else 9)
    assert distances[:6, :6].min() >= 25
