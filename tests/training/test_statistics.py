from collections import Counter
from dataclasses import asdict, fields, replace
from json import dumps, loads

import numpy as np
import pytest
from strategies import compose, make_piece

from amt_ray.events.quantise import quantise
from amt_ray.events.vocabulary import BAR, BOS, DRUM, EOS, GENRE, MORE, PITCH, STYLE
from amt_ray.training.statistics import RARE, Tally, WindowStatistics, padding_share, summarise, tally_piece
from amt_ray.training.windows import Labels, Window, cut_windows

QUIET = make_piece([(48 * bar, 12, 60, 84, 0) for bar in range(4)])


def window(ids, n_controls=0, n_context=0):
    return Window(0, np.array(ids, np.uint16), n_controls, n_context)


def tally_of(piece, split="train", window_tokens=128):
    quantised = quantise(piece)
    windows = list(cut_windows(quantised, Labels(), window_tokens))
    return tally_piece(len(piece.notes), quantised, windows, split, window_tokens)


def values(tally):
    return {f.name: getattr(tally, f.name) for f in fields(tally)} | {"event_counts": tally.event_counts.tolist()}


def test_events_are_counted_once_and_contexts_only_as_context():
    first = window([BOS, STYLE.start, BAR, PITCH.start, MORE], 1)
    second = window([BOS, STYLE.start, GENRE.start, BAR, PITCH.start, BAR, PITCH.start + 1, EOS], 2, 2)
    tally = tally_piece(4, quantise(QUIET), [first, second], "validation", 128)
    counted = {event: n for event, n in enumerate(tally.event_counts.tolist()) if n}
    assert counted == {
        BOS: 2, MORE: 1, EOS: 1, BAR: 2, STYLE.start: 2, GENRE.start: 1, PITCH.start: 1, PITCH.start + 1: 1,
    }  # fmt: skip
    assert tally.context_tokens == 2
    assert tally.windows == {("validation", 5): 1, ("validation", 8): 1}
    assert (tally.pieces, tally.pieces_without_windows, tally.notes) == (1, 0, 4)


def test_what_was_bent_and_what_was_left_out_is_counted():
    dense = [(48 + i, 1, 21 + (7 * i + j) % 88, 84, j) for i in range(40) for j in range(5)]
    rest = [(0, 12, 60, 84, 0), (96, 12, 110, 84, 0), (96, 12, 98, 84, 0), (144, 12, 27, 84, 128)]
    tally = tally_of(make_piece([*dense, *rest]), window_tokens=100)
    assert (tally.notes, tally.overlong_bars, tally.overlong_notes) == (204, 1, 200)
    assert {name: tally.folded[name] for name in ("pitches", "drums", "merged_notes")} == {
        "pitches": 1, "drums": 1, "merged_notes": 1,
    }  # fmt: skip
    assert tally.event_counts[DRUM.start : DRUM.end].sum() == 1
    nothing = tally_of(make_piece(dense), window_tokens=100)
    assert (nothing.pieces, nothing.pieces_without_windows, nothing.overlong_notes) == (1, 1, 200)
    assert not nothing.windows
    assert not nothing.event_counts.any()


def test_tallies_add_up_in_any_order():
    tallies = [tally_of(compose(seed, 8), "validation" if seed == 2 else "train") for seed in range(4)]
    together = sum(tallies, Tally())
    assert values(sum(tallies[::-1], Tally())) == values(together)
    assert values(Tally() + together) == values(together)
    assert together.notes == sum(len(compose(seed, 8).notes) for seed in range(4))
    assert sum(n for (split, _), n in together.windows.items() if split == "validation") == tallies[2].windows.total()
    statistics = summarise(tallies, 8192)
    assert sum(statistics.event_counts) + statistics.context_tokens == statistics.tokens


def test_the_summary_says_what_there_is():
    some = Tally(5, 1, 700, 30, 2, 20, Counter(pitches=3), Counter({("train", 10): 3, ("train", 100): 2}))
    counts = np.zeros(512, np.int64)
    counts[[BOS, BAR, EOS]] = 7, RARE, RARE - 1
    other = Tally(1, 0, 50, 0, 0, 0, Counter(pitches=1, drums=2), Counter({("validation", 20): 1}), counts)
    statistics = summarise([some, other], 100)
    assert asdict(replace(statistics, event_counts=[])) == {
        "pieces": 6, "pieces_without_windows": 1, "windows": 6, "validation_windows": 1, "tokens": 250,
        "validation_tokens": 20, "context_tokens": 30, "median_tokens": 15.0, "p95_tokens": 100.0, "notes": 750,
        "folded": {"pitches": 4, "drums": 2}, "overlong_bars": 2, "overlong_notes": 20, "batch_tokens": 100,
        "padding_share": 0.0, "event_counts": [],
    }  # fmt: skip
    assert (statistics.events_used, statistics.events_rare) == (3, 2)
    facts = loads(dumps(asdict(statistics) | {"styles": "x"}))
    assert WindowStatistics.of_facts(facts) == statistics


def test_nothing_has_statistics_too():
    statistics = summarise([], 100)
    assert (statistics.windows, statistics.tokens, statistics.median_tokens, statistics.padding_share) == (0, 0, 0.0, 0.0)
    assert statistics.event_counts == [0] * 512


@pytest.mark.parametrize(
    ("lengths", "batch_tokens", "share"),
    [([10, 10, 10], 30, 0.0), ([5, 10], 20, 0.25), ([5, 10], 10, 0.0), ([1, 1, 1, 7], 28, 1 - 10 / 28), ([500], 10, 0.0)],
)
def test_padding_is_what_rows_lack_of_their_batch_s_longest(lengths, batch_tokens, share):
    assert padding_share(np.array(lengths), batch_tokens) == pytest.approx(share)
