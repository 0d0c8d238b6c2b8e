import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose, facts, make_piece, pieces

from amt_ray.events.controls import Controls, control_ids, controls_of
from amt_ray.events.encode import decode, encode_bars, tokens_per_bar
from amt_ray.events.grammar import check
from amt_ray.events.quantise import quantise
from amt_ray.events.vocabulary import BAR, BOS, EOS, METRES, MORE, TEMPO, TEMPO_BPM, TIME_SIGNATURE
from amt_ray.midi.features import measure
from amt_ray.training.windows import Labels, cut_windows, split_of

LABELS = Labels(style=3, genre="jazz", mood="calm")


def windows_of(piece, window_tokens, labels=LABELS):
    return list(cut_windows(quantise(piece), labels, window_tokens))


def body_without_restatements(ids):
    """A window's bars, each as its list of ids, without metres and tempi: these may be stated again."""
    bars = []
    for event_id in ids.tolist():
        if event_id == BAR:
            bars.append([])
        elif bars and event_id not in TIME_SIGNATURE and event_id not in TEMPO:
            bars[-1].append(event_id)
    bars[-1].pop()
    return bars


@given(pieces(), st.sampled_from((64, 100, 300, 1024)))
def test_windows_keep_to_their_size_and_to_the_grammar(piece, window_tokens):
    for number, window in enumerate(windows_of(piece, window_tokens)):
        assert window.number == number
        assert len(window.ids) <= window_tokens
        assert window.ids.dtype == np.uint16
        assert check(window.ids).last == "END"
        assert window.ids[0] == BOS
        assert window.ids[1 + window.n_controls] == BAR
        assert BAR not in window.ids[: 1 + window.n_controls]


@given(pieces(), st.sampled_from((64, 100, 300)))
def test_windows_tile_the_bars_that_fit_and_hold_notes(piece, window_tokens):
    quantised = quantise(piece)
    whole = body_without_restatements(encode_bars(quantised))
    fits = tokens_per_bar(quantised) <= window_tokens - 25
    wanted = [bar for bar, fit in zip(whole, fits, strict=True) if fit and bar]
    got = [bar for window in windows_of(piece, window_tokens) for bar in body_without_restatements(window.ids) if bar]
    assert got == wanted


@given(pieces(max_quarters=60), st.sampled_from((100, 400)))
def test_the_last_bar_s_window_ends_and_the_others_go_on(piece, window_tokens):
    quantised = quantise(piece)
    windows = windows_of(piece, window_tokens)
    ends = [int(window.ids[-1]) for window in windows]
    last_fits = int(tokens_per_bar(quantised)[-1] <= window_tokens - 25)
    assert ends == [MORE] * (len(windows) - last_fits) + [EOS] * last_fits


def controls_by_hand(ids):
    """Measure a window's controls from its own decoded music."""
    piece = decode(ids)
    features = measure(piece)
    starts = np.append(piece.metre_ticks, 10**9)
    n_bars, bars = int((ids == BAR).sum()), []
    at = 0
    while len(bars) < n_bars:
        metre = int(np.searchsorted(starts, at, side="right")) - 1
        n, d = int(piece.metre_numerator[metre]), int(piece.metre_denominator[metre])
        bars.append((n, d))
        at += n * 48 // d
    counts = {metre: bars.count(metre) for metre in METRES}
    most = max(counts, key=lambda metre: counts[metre])
    return Controls(
        style=3,
        genre="jazz",
        mood="calm",
        tempo_bpm=features.tempo_bpm,
        key=features.key if features.key_confidence >= 0.6 else "none",
        time_signature=f"{most[0]}/{most[1]}",
        programs=tuple(features.programs[:12]),
        density_notes_per_beat=features.n_notes / (piece.end_ticks / 12),
        polyphony=features.polyphony,
        bars=n_bars,
    )


@given(pieces(), st.sampled_from((100, 300, 1024)))
def test_controls_are_true_of_the_window_not_of_the_piece(piece, window_tokens):
    for window in windows_of(piece, window_tokens):
        assert window.ids[1 : 1 + window.n_controls].tolist() == control_ids(controls_by_hand(window.ids))


def test_a_window_knows_just_its_own_instruments_tempo_and_length():
    # Eight bars of piano at the slowest listed tempo, then eight of violin at the fastest.
    rows = [(12 * i, 12, 60 + i % 7, 84, 0 if i < 32 else 40) for i in range(64)]
    slow, fast = float(TEMPO_BPM[0]), float(TEMPO_BPM[-1])
    windows = windows_of(make_piece(rows, tempi=[(0, slow), (12 * 32, fast)]), 25 + 4 * (1 + 4 * 5) + 6, Labels())
    read = [controls_of(window.ids[1 : 1 + window.n_controls].astype(np.int64)) for window in windows]
    assert [control.programs for control in read] == [(0,), (0,), (40,), (40,)]
    assert [control.tempo_bpm for control in read] == [slow, slow, fast, fast]
    assert [(control.bars, control.style, control.genre, control.mood) for control in read] == [(4, None, None, None)] * 4


def test_a_bar_longer_than_a_window_is_left_out_and_the_piece_goes_on():
    dense = [(48 + i, 1, 21 + (7 * i + j) % 88, 84, j) for i in range(40) for j in range(5)]
    sparse = [(48 * bar, 12, 60, 84, 0) for bar in (0, 2, 3)]
    windows = windows_of(make_piece([*dense, *sparse]), 100)
    assert [body_without_restatements(window.ids) != [] for window in windows] == [True, True]
    assert [int((window.ids == BAR).sum()) for window in windows] == [1, 2]
    assert [int(window.ids[-1]) for window in windows] == [MORE, EOS]


def test_a_piece_of_one_window_is_the_piece():
    piece = compose(0, n_bars=4)
    (window,) = windows_of(piece, 4096)
    assert facts(decode(window.ids))["notes"] == facts(quantise(piece).piece)["notes"]
    assert window.n_controls == 9 + len(piece.programs)


def test_many_instruments_are_named_up_to_the_busiest_twelve():
    rows = [(12 * i, 12, 60, 84, program) for program in range(20) for i in range(30 - program)]
    (window,) = windows_of(make_piece(rows), 4096)
    assert controls_of(window.ids[1 : 1 + window.n_controls].astype(np.int64)).programs == tuple(range(12))


def test_a_style_that_has_no_event_is_left_out():
    (window,) = windows_of(compose(1, n_bars=2), 4096, Labels(style=16))
    assert controls_of(window.ids[1 : 1 + window.n_controls].astype(np.int64)).style is None


def test_splits_keep_their_share_and_never_change():
    ids = [f"{i:064x}" for i in range(4000)]
    for share in (0.1, 0.5):
        part = sum(split_of(piece_id, share) == "validation" for piece_id in ids) / len(ids)
        assert part == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(ids)))
    small = {piece_id for piece_id in ids if split_of(piece_id, 0.1) == "validation"}
    assert small <= {piece_id for piece_id in ids if split_of(piece_id, 0.2) == "validation"}
    assert "".join(split_of(piece_id, 0.5)[0] for piece_id in ids[:16]) == "tvvvvtvvtvtvvtvt"
