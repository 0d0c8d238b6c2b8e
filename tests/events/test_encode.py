import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose, facts, make_piece, pieces, rows_of
from walks import bar_indices, random_walk, read

from amt_ray.events.controls import Controls
from amt_ray.events.encode import decode, encode, encode_bars, excerpt, tokens_per_bar
from amt_ray.events.grammar import check
from amt_ray.events.quantise import quantise
from amt_ray.events.vocabulary import BAR, BOS, EOS, KEY, MORE, N_IDS, name_of
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.parse import parse_midi


def without_key(piece):
    return facts(dataclasses.replace(piece, key=None))


@given(pieces())
def test_decoding_gives_the_quantised_piece(piece):
    assert facts(decode(encode(piece))) == without_key(quantise(piece).piece)


@given(pieces())
def test_with_its_key_as_a_control_a_piece_is_whole(piece):
    ids = encode(piece, Controls(key=piece.key))
    assert facts(decode(ids)) == facts(quantise(piece).piece)


@given(pieces())
def test_every_encoded_sequence_obeys_the_grammar(piece):
    ids = encode(piece, Controls(genre="jazz", programs=tuple(piece.programs), bars=12))
    state = check(ids)
    assert (state.last, state.bars) == ("END", len(quantise(piece).bar_metre))
    assert ids.dtype == np.uint16
    assert (ids[0], ids[-1]) == (BOS, EOS)


@given(pieces())
def test_a_plain_reader_reads_the_same(piece):
    quantised = quantise(piece)
    reading = read(encode_bars(quantised).tolist())
    assert reading.rows == rows_of(quantised.piece)
    for got, wanted in zip(
        bar_indices(reading), (quantised.bar_start_units, quantised.bar_metre, quantised.bar_tempo), strict=True
    ):
        assert got.tolist() == wanted.tolist()


def test_a_small_piece_reads_as_written():
    rows = [
        (0, 12, 60, 84, 0),
        (0, 12, 64, 84, 0),
        (0, 6, 36, 124, DRUMS),
        (18, 24, 67, 4, 40),
        (48, 12, 60, 84, 0),
        (84, 6, 62, 84, 0),
    ]
    piece = make_piece(rows, tempi=[(0, 119.3), (48, 28.0)], metres=[(0, 4, 4), (48, 3, 4)], key="D minor")
    ids = encode(piece, Controls(key="D minor", mood="calm"))
    assert [name_of(event_id) for event_id in ids.tolist()] == [
        "BOS", "MOOD calm", "KEY D minor",
        "BAR", "TIME_SIGNATURE 4/4", "TEMPO 119.3",
        "POSITION 0", "PROGRAM piano", "PITCH 60", "VELOCITY 84", "DURATION 12", "PITCH 64", "VELOCITY 84", "DURATION 12",
        "PROGRAM drums", "DRUM 36", "VELOCITY 124", "DURATION 6",
        "POSITION 18", "PROGRAM violin", "PITCH 67", "VELOCITY 4", "DURATION 24",
        "BAR", "TIME_SIGNATURE 3/4", "TEMPO 28", "POSITION 0", "PROGRAM piano", "PITCH 60", "VELOCITY 84", "DURATION 12",
        "BAR", "POSITION 0", "PROGRAM piano", "PITCH 62", "VELOCITY 84", "DURATION 6",
        "EOS",
    ]  # fmt: skip
    assert facts(decode(ids)) == facts(piece)


@given(pieces())
def test_tokens_of_bars_add_up(piece):
    quantised = quantise(piece)
    ids = encode_bars(quantised)
    lengths = np.diff([*np.flatnonzero(ids == BAR), len(ids) - 1])
    assert tokens_per_bar(quantised).tolist() == lengths.tolist()


@given(pieces(), st.data())
def test_windows_hold_the_pieces_notes(piece, data):
    quantised = quantise(piece)
    n_bars = len(quantised.bar_metre)
    cuts = sorted({0, n_bars, *data.draw(st.sets(st.integers(1, n_bars), max_size=4))})
    rows = []
    for from_bar, to_bar in zip(cuts, cuts[1:]):  # noqa: B905, RUF007 - pairs of neighbours
        window = excerpt(quantised, from_bar, to_bar)
        start = int(quantised.bar_start_units[from_bar])
        rows += [(row[0] + start, *row[1:]) for row in rows_of(window.piece)]
        assert window.bar_metre.tolist() == quantised.bar_metre[from_bar:to_bar].tolist()
        assert window.bar_tempo.tolist() == quantised.bar_tempo[from_bar:to_bar].tolist()
        if len(window.piece.notes):
            ids = encode_bars(window, goes_on=to_bar < n_bars)
            check(ids)
            assert ids[-1] == (MORE if to_bar < n_bars else EOS)
            assert rows_of(decode(ids)) == rows_of(window.piece)
            assert len(ids) == 2 + tokens_per_bar(window).sum()
    assert rows == rows_of(quantised.piece)


def test_windows_after_the_first_state_metre_and_tempo_anew():
    piece = compose(3, n_bars=6)
    window = excerpt(quantise(piece), 2, 4)
    names = [name_of(event_id) for event_id in encode_bars(window, goes_on=True).tolist()]
    assert [name.split()[0] for name in names[:4]] == ["BOS", "BAR", "TIME_SIGNATURE", "TEMPO"]
    assert names.count("BAR") == 2


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["BOS"], "no bar"),
        ([], "no bar"),
        (["BOS", "BAR"], "time signature and a tempo"),
        (["BOS", "BAR", "TIME_SIGNATURE 4/4", "POSITION 0"], "time signature and a tempo"),
        (["BOS", "BAR", "TIME_SIGNATURE 4/4", "TEMPO 28", "EOS"], "no complete note"),
    ],
)
def test_sequences_that_hold_no_piece_are_refused(names, complaint):
    ids = {name_of(event_id): event_id for event_id in range(N_IDS)}
    with pytest.raises(ValueError, match=complaint):
        decode([ids[name] for name in names])


def test_a_sequence_cut_within_a_note_keeps_the_whole_notes():
    ids = encode(compose(1))
    for cut in range(len(ids) - 40, len(ids)):
        rows = read(ids[:cut].tolist()).rows
        assert rows_of(decode(ids[:cut])) == rows
    assert len(rows) == len(compose(1).notes)


def test_key_none_is_no_key():
    ids = encode(compose(1), Controls(key="none"))
    assert ids[1] == KEY.end - 1
    assert decode(ids).key is None


def test_padding_changes_nothing():
    ids = encode(compose(2))
    assert facts(decode([*ids, 0, 0, 0])) == facts(decode(ids))


def test_walks_decode_from_any_integer_array():
    ids, _ = random_walk(np.random.default_rng(7))
    assert facts(decode(ids)) == facts(decode(np.array(ids, np.uint16))) == facts(decode(np.array(ids, np.int32)))


def test_the_example_corpus_encodes_and_comes_back(real_data):
    files = sorted(path for path in (real_data / "library").rglob("*.mid") if path.is_file())[::40]
    for path in files:
        piece = parse_midi(path.read_bytes())
        ids = encode(piece)
        check(ids)
        assert facts(decode(ids)) == without_key(quantise(piece).piece), path.name
        assert encode(decode(ids)).tolist() == ids.tolist(), path.name
    assert len(files) > 50
