import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose, facts, make_piece, pieces

from amt_ray.events.controls import Controls, control_ids, controls_of
from amt_ray.events.encode import decode, encode_bars, excerpt, tokens_per_bar
from amt_ray.events.grammar import check
from amt_ray.events.quantise import quantise
from amt_ray.events.vocabulary import BAR, BOS, EOS, METRES, MORE, TEMPO, TEMPO_BPM, TIME_SIGNATURE
from amt_ray.midi.features import measure
from amt_ray.text.mood import mood_of
from amt_ray.training.windows import Labels, cut_windows, overlong_bars, split_of

LABELS = Labels(style=3, genre="jazz")


def windows_of(piece, window_tokens, labels=LABELS):
    return list(cut_windows(quantise(piece), labels, window_tokens))


def body_without_restatements(ids):
    """Bars, each as its list of ids, without metres and tempi: these may be stated again."""
    bars = []
    for event_id in ids.tolist():
        if event_id == BAR:
            bars.append([])
        elif bars and event_id not in TIME_SIGNATURE and event_id not in TEMPO:
            bars[-1].append(event_id)
    bars[-1].pop()
    return bars


def own_ids(window):
    """A window's ids without its context."""
    first = 1 + window.n_controls
    return np.delete(window.ids, np.s_[first : first + window.n_context])


def n_context_bars(window):
    return int((window.ids[: 1 + window.n_controls + window.n_context] == BAR).sum())


@given(pieces(), st.sampled_from((64, 100, 300, 1024)))
def test_windows_keep_to_their_size_and_to_the_grammar(piece, window_tokens):
    for number, window in enumerate(windows_of(piece, window_tokens)):
        assert window.number == number
        assert len(window.ids) <= window_tokens
        assert window.ids.dtype == np.uint16
        assert check(window.ids).last == "END"
        assert window.ids[0] == BOS
        first = 1 + window.n_controls
        assert window.ids[first] == window.ids[first + window.n_context] == BAR
        assert BAR not in window.ids[:first]
        assert window.ids[first + 1] in TIME_SIGNATURE
        assert window.ids[first + 2] in TEMPO


@given(pieces(), st.sampled_from((64, 100, 300)))
def test_windows_tile_the_bars_that_fit_and_hold_notes(piece, window_tokens):
    quantised = quantise(piece)
    whole = body_without_restatements(encode_bars(quantised))
    fits = tokens_per_bar(quantised) <= window_tokens - 25
    wanted = [bar for bar, fit in zip(whole, fits, strict=True) if fit and bar]
    got = [bar for window in windows_of(piece, window_tokens) for bar in body_without_restatements(own_ids(window)) if bar]
    assert got == wanted


@given(pieces(max_quarters=60), st.sampled_from((100, 400)))
def test_the_last_bar_s_window_ends_and_the_others_go_on(piece, window_tokens):
    quantised = quantise(piece)
    windows = windows_of(piece, window_tokens)
    ends = [int(window.ids[-1]) for window in windows]
    last_fits = int(tokens_per_bar(quantised)[-1] <= window_tokens - 25)
    assert ends == [MORE] * (len(windows) - last_fits) + [EOS] * last_fits


def parts_by_hand(quantised, window_tokens):
    """The bars of each window as (context, first, end), found bar by bar."""
    tokens, most = tokens_per_bar(quantised).tolist(), window_tokens - 25
    parts, first = [], 0
    while first < len(tokens):
        if tokens[first] > most:
            first += 1
            continue
        context, end = first, first + 1
        room = min(window_tokens // 4, most - tokens[first])
        while context > 0 and sum(tokens[context - 1 : first]) <= room:
            context -= 1
        while end < len(tokens) and sum(tokens[context : end + 1]) <= most:
            end += 1
        parts.append((context, first, end))
        assert not parts[:-1] or context >= parts[-2][0]
        first = end
    return [part for part in parts if len(excerpt(quantised, *part[1:]).piece.notes)]


@given(pieces() | st.builds(compose, st.integers(0, 10**6)), st.sampled_from((64, 100, 300)))
def test_a_window_that_goes_on_begins_with_whole_bars_of_the_one_before(piece, window_tokens):
    quantised = quantise(piece)
    wanted = parts_by_hand(quantised, window_tokens)
    for window, (context, first, end) in zip(windows_of(piece, window_tokens), wanted, strict=True):
        together = encode_bars(excerpt(quantised, context, end), goes_on=end < len(quantised.bar_metre))
        assert window.ids[1 + window.n_controls :].tolist() == together[1:].tolist()
        assert (n_context_bars(window), int((own_ids(window) == BAR).sum())) == (first - context, end - first)


def controls_by_hand(own):
    """Measure a window's controls from its own bars."""
    features = measure(own.piece)
    bars = [METRES[i] for i in own.bar_metre.tolist()]
    counts = {metre: bars.count(metre) for metre in METRES}
    most = max(counts, key=lambda metre: counts[metre])
    return Controls(
        style=3,
        genre="jazz",
        mood=mood_of(features.as_row()),
        tempo_bpm=features.tempo_bpm,
        key=features.key if features.key_confidence >= 0.6 else "none",
        time_signature=f"{most[0]}/{most[1]}",
        programs=tuple(features.programs[:12]),
        density_notes_per_beat=features.n_notes / (own.piece.end_ticks / 12),
        polyphony=features.polyphony,
        bars=len(bars),
    )


@given(pieces() | st.builds(compose, st.integers(0, 10**6)), st.sampled_from((100, 300, 1024)))
def test_controls_are_true_of_the_window_s_own_bars(piece, window_tokens):
    quantised = quantise(piece)
    parts = parts_by_hand(quantised, window_tokens)
    for window, (_, first, end) in zip(windows_of(piece, window_tokens), parts, strict=True):
        wanted = control_ids(controls_by_hand(excerpt(quantised, first, end)))
        assert window.ids[1 : 1 + window.n_controls].tolist() == wanted


def controls_read(window):
    return controls_of(window.ids[1 : 1 + window.n_controls].astype(np.int64))


# Bars of four quarters take 1 + 4 * 5 = 21 events, the first of a sequence two more for metre and tempo.
FOUR_BARS = 25 + 4 * 21 + 6


def test_a_window_knows_just_its_own_instruments_tempo_and_length():
    # Four bars of piano at the slowest listed tempo, then nine of violin at the fastest.
    rows = [(12 * i, 12, 60 + i % 7, 84, 0 if i < 16 else 40) for i in range(52)]
    slow, fast = float(TEMPO_BPM[0]), float(TEMPO_BPM[-1])
    windows = windows_of(make_piece(rows, tempi=[(0, slow), (12 * 16, fast)]), FOUR_BARS, Labels())
    read = [controls_read(window) for window in windows]
    assert [n_context_bars(window) for window in windows] == [0, 1, 1, 1]
    assert [int((own_ids(window) == BAR).sum()) for window in windows] == [4, 3, 3, 3]
    assert [control.programs for control in read] == [(0,), (40,), (40,), (40,)]
    assert [control.tempo_bpm for control in read] == [slow, fast, fast, fast]
    assert [(control.bars, control.style, control.genre) for control in read] == [(4, None, None)] * 4


def test_the_length_is_that_of_the_bars_behind_the_context():
    rows = [(48 * bar, 12, 60, 84, 0) for bar in range(16)]
    windows = windows_of(make_piece(rows), 25 + 6 * 10)
    assert [(n_context_bars(window), int((own_ids(window) == BAR).sum())) for window in windows] == [(0, 9), (3, 7)]
    assert [controls_read(window).bars for window in windows] == [16, 8]


def test_a_context_states_the_metre_and_tempo_that_hold_in_it():
    # A bar that changes both is the first of the second window; its context is in what held before.
    rows = [(12 * i, 12, 60, 84, 0) for i in range(28)]
    piece = make_piece(rows, tempi=[(0, float(TEMPO_BPM[9])), (192, float(TEMPO_BPM[20]))], metres=[(0, 4, 4), (192, 3, 4)])
    window = windows_of(piece, FOUR_BARS)[1]
    first = 1 + window.n_controls
    four_four, three_four = (TIME_SIGNATURE.start + METRES.index(metre) for metre in ((4, 4), (3, 4)))
    assert window.ids[first : first + 3].tolist() == [BAR, four_four, TEMPO.start + 9]
    assert window.n_context == 3 + 4 * 5
    own = first + window.n_context
    assert window.ids[own : own + 3].tolist() == [BAR, three_four, TEMPO.start + 20]
    assert controls_read(window).time_signature == "3/4"


@pytest.mark.parametrize(("n_doubled", "n_bars"), [(0, 2), (2, 1), (4, 0)])
def test_a_context_makes_room_for_the_bar_behind_it(n_doubled, n_bars):
    def twelve(bar):
        return [(48 * bar + 4 * i, 4, 60, 84, 0) for i in range(12)]

    doubled = [(144 + 4 * i, 4, 72, 84, 0) for i in range(n_doubled)]
    piece = make_piece([*twelve(0), (48, 12, 60, 84, 0), (96, 12, 60, 84, 0), *twelve(3), *doubled, (192, 12, 60, 84, 0)])
    assert tokens_per_bar(quantise(piece)).tolist() == [63, 6, 6, 61 + 3 * n_doubled, 6]
    windows = windows_of(piece, 25 + 75)
    assert [(n_context_bars(window), int((own_ids(window) == BAR).sum())) for window in windows] == [
        (0, 3),
        (n_bars, 1),
        (0, 1),
    ]


@pytest.mark.parametrize(
    ("bpm", "third", "mood"), [(170.0, 4, "joyful"), (170.0, 3, "tense"), (40.0, 4, "calm"), (100.0, 4, None)]
)
def test_the_mood_is_that_of_the_window_s_notes(bpm, third, mood):
    scale = [0, 2, third, 5, 7, third, 0, 7]
    rows = [(6 * i if bpm > 120 else 24 * i, 6, 60 + scale[i % 8], 84, 0) for i in range(64)]
    rows += [(row[0], 24, 60 + chord, 84, 0) for row in rows[::4] for chord in (12, 12 + third, 19)]
    (window,) = windows_of(make_piece(rows, tempi=[(0, bpm)]), 4096)
    assert controls_read(window).mood == mood


def test_a_bar_longer_than_a_window_is_left_out_and_the_piece_goes_on_without_a_context():
    dense = [(48 + i, 1, 21 + (7 * i + j) % 88, 84, j) for i in range(40) for j in range(5)]
    sparse = [(48 * bar, 12, 60, 84, 0) for bar in (0, 2, 3)]
    piece = make_piece([*dense, *sparse])
    windows = windows_of(piece, 100)
    assert [body_without_restatements(window.ids) != [] for window in windows] == [True, True]
    assert [int((window.ids == BAR).sum()) for window in windows] == [1, 2]
    assert [window.n_context for window in windows] == [0, 0]
    assert [int(window.ids[-1]) for window in windows] == [MORE, EOS]
    assert overlong_bars(tokens_per_bar(quantise(piece)), 100).tolist() == [False, True, False, False]
    assert overlong_bars(np.array([75, 76]), 100).tolist() == [False, True]


def test_a_piece_of_one_window_is_the_piece():
    piece = compose(0, n_bars=4)
    (window,) = windows_of(piece, 4096)
    assert facts(decode(window.ids))["notes"] == facts(quantise(piece).piece)["notes"]
    n_single = 8 + (controls_read(window).mood is not None)
    assert (window.n_controls, window.n_context) == (n_single + len(piece.programs), 0)


def test_many_instruments_are_named_up_to_the_busiest_twelve():
    rows = [(12 * i, 12, 60, 84, program) for program in range(20) for i in range(30 - program)]
    (window,) = windows_of(make_piece(rows), 4096)
    assert controls_read(window).programs == tuple(range(12))


def test_a_style_that_has_no_event_is_left_out():
    (window,) = windows_of(compose(1, n_bars=2), 4096, Labels(style=16))
    assert controls_read(window).style is None


def test_splits_keep_their_share_and_never_change():
    ids = [f"{i:064x}" for i in range(4000)]
    for share in (0.1, 0.5):
        part = sum(split_of(piece_id, share) == "validation" for piece_id in ids) / len(ids)
        assert part == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(ids)))
    small = {piece_id for piece_id in ids if split_of(piece_id, 0.1) == "validation"}
    assert small <= {piece_id for piece_id in ids if split_of(piece_id, 0.2) == "validation"}
    assert "".join(split_of(piece_id, 0.5)[0] for piece_id in ids[:16]) == "tvvvvtvvtvtvvtvt"
