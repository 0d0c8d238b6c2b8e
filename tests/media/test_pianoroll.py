import io

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amt_ray.media import pianoroll
from amt_ray.media.pianoroll import bar_starts, caption, draw_piano_roll
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.piece import Notes, Piece


def piece_of(*rows, **fields):
    """Rows of (onset_ticks, duration_ticks, pitch, velocity, program) at 480 ticks a quarter note."""
    return Piece(480, Notes(*np.array(rows, np.int64).reshape(-1, 5).T), **fields)


def pixels(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return np.round(matplotlib.image.imread(io.BytesIO(png))[:, :, :3] * 255).astype(int)


def count_like(image, colour, tolerance=40):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(image - rgb).max(axis=2) < tolerance).sum())


def test_bars_follow_the_metre_map():
    metres = {
        "metre_ticks": np.array([0, 3840]),
        "metre_numerator": np.array([4, 3]),
        "metre_denominator": np.array([4, 8]),
    }
    piece = piece_of((0, 3840 + 720, 60, 100, 0), **metres)
    np.testing.assert_allclose(bar_starts(piece), [0, 4, 8, 9.5])
    np.testing.assert_allclose(bar_starts(piece_of()), [0, 4])
    np.testing.assert_allclose(bar_starts(piece_of((0, 1921, 60, 100, 0))), [0, 4, 8])


def test_a_change_of_metre_within_a_bar_begins_a_bar():
    metres = {
        "metre_ticks": np.array([0, 2400]),
        "metre_numerator": np.array([4, 4]),
        "metre_denominator": np.array([4, 4]),
    }
    np.testing.assert_allclose(bar_starts(piece_of((0, 4000, 60, 100, 0), **metres)), [0, 4, 5, 9])


def test_caption_counts():
    rows = [(i * 480, 480, p, 100, 0) for i, p in enumerate([60, 64, 67, 72] * 10)]
    assert caption(piece_of(*rows, key="D minor")) == "D minor · 4/4 · 120 bpm · 10 bars · 0:20 · 40 notes"
    assert caption(piece_of(*rows)) == "C major (estimated) · 4/4 · 120 bpm · 10 bars · 0:20 · 40 notes"
    assert caption(piece_of((0, 240, 38, 100, DRUMS), key="C major")) == "4/4 · 120 bpm · 1 bar · 0.2 s · 1 note"
    assert caption(piece_of()) == "4/4 · 120 bpm · 1 bar · 0.0 s · 0 notes"


def test_two_instruments_have_two_colours_and_velocity_is_opacity():
    rows = [(0, 1920, 60, 127, 0), (0, 1920, 64, 127, 0), (0, 1920, 72, 127, 40)]
    image = pixels(draw_piano_roll(piece_of(*rows)))
    piano, violin = (count_like(image, colour) for colour in pianoroll.COLOURS[:2])
    assert violin > 5000
    assert piano > 1.7 * violin
    faint = pixels(draw_piano_roll(piece_of(*[(o, d, p, 1, g) for o, d, p, _, g in rows])))
    assert count_like(faint, pianoroll.COLOURS[0]) < piano / 5


def test_drums_have_a_lane_below():
    pitched = (0, 1920, 60, 100, 0)
    without = pixels(draw_piano_roll(piece_of(pitched)))
    with_drums = pixels(draw_piano_roll(piece_of(pitched, *[(i * 240, 10, 38, 127, DRUMS) for i in range(8)])))
    added = with_drums.shape[0] - without.shape[0]
    assert added == pytest.approx((0.3 + 0.15 + 0.12) * pianoroll.DPI, abs=2)
    lane = with_drums[-int((pianoroll.BOTTOM_IN + 0.45) * pianoroll.DPI) : -int(pianoroll.BOTTOM_IN * pianoroll.DPI)]
    assert count_like(lane, pianoroll.DRUM_COLOUR, 20) > 8 * 40


def test_instruments_beyond_the_palette_share_a_grey():
    programs = np.arange(12)
    colours = pianoroll._colours(programs)
    assert list(colours.values()).count(pianoroll.OTHERS_COLOUR) == 3
    assert len(set(colours.values())) == len(pianoroll.COLOURS) + 1
    assert pianoroll._colours(np.array([5, 7, 7]))[7] == pianoroll.COLOURS[0]


def test_width_grows_with_length_up_to_2400_pixels():
    widths = [pixels(draw_piano_roll(piece_of((0, n * 1920, 60, 100, 0)))).shape[1] for n in (1, 12, 500)]
    assert widths == [1280, 1936, 2400]


def test_twenty_thousand_notes_and_drums_only():
    rng = np.random.default_rng(0)
    n = 20_000
    notes = Notes(
        np.sort(rng.integers(0, n * 60, n)), *rng.integers([[60], [20], [1], [0]], [[480], [108], [128], [129]], (4, n))
    )
    assert pixels(draw_piano_roll(Piece(480, notes), "many")).shape[1] == 2400
    assert pixels(draw_piano_roll(piece_of(*[(i * 60, 10, 20 + i, 100, DRUMS) for i in range(80)]))).shape[1] >= 1280


def test_same_piece_same_bytes_and_no_metadata():
    piece = piece_of((0, 480, 60, 100, 0), (480, 480, 64, 90, 40))
    first = draw_piano_roll(piece, "a title")
    assert first == draw_piano_roll(piece, "a title")
    assert b"Software" not in first
    assert b"tEXt" not in first
    assert first != draw_piano_roll(piece, "another title")


def test_titles_are_text_and_never_too_long():
    piece = piece_of((0, 480, 60, 100, 0))
    plain = pixels(draw_piano_roll(piece)).shape[0]
    for title, n_lines in [(r"costs $\frac$ 5", 1), ("very " * 100, 2)]:
        image = pixels(draw_piano_roll(piece, title))
        assert image.shape[0] - plain == pytest.approx(n_lines * pianoroll.TITLE_IN * pianoroll.DPI, abs=2)
        assert (image[:, -20:] > 235).all(), "the title runs into the right margin"


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 20_000), st.integers(1, 5_000), st.integers(0, 127), st.integers(1, 127), st.integers(0, DRUMS)
        ),
        max_size=20,
    ),
    st.integers(1, 12),
    st.sampled_from([1, 2, 4, 8, 16]),
)
def test_any_piece_can_be_drawn(rows, numerator, denominator):
    piece = piece_of(*sorted(rows), metre_numerator=np.array([numerator]), metre_denominator=np.array([denominator]))
    image = pixels(draw_piano_roll(piece, "any"))
    assert 1280 <= image.shape[1] <= 2400
    starts = bar_starts(piece)
    assert (np.diff(starts) > 0).all()
    assert starts[-1] * 480 >= piece.end_ticks
