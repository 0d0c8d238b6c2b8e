import io
import itertools
import math
import tracemalloc
from collections import Counter

import pretty_midi
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose, make_piece, pieces, rows_of

from amt_ray.config import Limits
from amt_ray.errors import InvalidPiece
from amt_ray.midi.batch import lay_out
from amt_ray.midi.features import check_duration, check_notes, measure, measure_all
from amt_ray.midi.instruments import DRUMS, family_of
from amt_ray.midi.keys import KEYS
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.rhythm import NOTE_LENGTHS
from amt_ray.midi.write import write_midi
from amt_ray.schemas import PIECES


def brute_force_voices(rows):
    """Mean voices by counting, tick by tick."""
    counts = Counter()
    for onset, duration, _, _, program in rows:
        if program != DRUMS:
            counts.update(range(onset, onset + duration))
    return sum(counts.values()) / len(counts) if counts else 0.0


def pitch_classes_by_hand(rows):
    ticks = Counter()
    for _, duration, pitch, _, program in rows:
        ticks[pitch % 12] += duration * (program != DRUMS)
    return [ticks[pitch_class] / (sum(ticks.values()) or 1) for pitch_class in range(12)]


def seconds_by_hand(piece, end_ticks):
    seconds = 0.0
    changes = [*zip(piece.tempo_ticks.tolist(), piece.tempo_bpm.tolist(), strict=True), (math.inf, 0.0)]
    for (start, bpm), (stop, _) in itertools.pairwise(changes):
        if start < end_ticks:
            seconds += (min(stop, end_ticks) - start) / piece.ticks_per_quarter * 60.0 / bpm
    return seconds


@given(pieces(max_quarters=20))
def test_counts_and_means_are_those_of_plain_python(piece):
    rows, got = rows_of(piece), measure(piece)
    velocities = [velocity for _, _, _, velocity, _ in rows]
    pitched = [pitch for _, _, pitch, _, program in rows if program != DRUMS]
    by_program = Counter(program for *_, program in rows)
    end = max(onset + duration for onset, duration, *_ in rows)
    seconds = seconds_by_hand(piece, end)
    assert got.n_notes == len(rows)
    assert got.programs == sorted(by_program, key=lambda program: (-by_program[program], program))
    assert got.n_tracks == len(by_program)
    by_family = Counter()
    for program, n_notes in by_program.items():
        by_family[family_of(program)] += n_notes
    assert set(got.families) == set(by_family)
    assert [by_family[family] for family in got.families] == sorted(by_family.values(), reverse=True)
    assert got.has_drums == (DRUMS in by_program)
    assert (got.pitch_min, got.pitch_max) == ((min(pitched), max(pitched)) if pitched else (None, None))
    assert got.n_pitches == len(set(pitched))
    assert (got.velocity_min, got.velocity_max) == (min(velocities), max(velocities))
    assert got.velocity_mean == pytest.approx(sum(velocities) / len(velocities))
    assert got.velocity_std == pytest.approx(math.sqrt(sum((v - got.velocity_mean) ** 2 for v in velocities) / len(rows)))
    assert got.density_notes_per_beat == pytest.approx(len(rows) * piece.ticks_per_quarter / end)
    assert got.duration_s == pytest.approx(seconds)
    assert got.tempo_bpm == pytest.approx(60 * end / piece.ticks_per_quarter / seconds)


@given(pieces(max_quarters=20))
def test_pitch_classes_are_shares_of_the_sounding_time(piece):
    assert measure(piece).pitch_classes == pytest.approx(pitch_classes_by_hand(rows_of(piece)))


def values_heard(ticks, values, rows):
    """The first note's value and all that come while notes sound, one after the other."""
    start, end = min(row[0] for row in rows), max(row[0] + row[1] for row in rows)
    return [
        value
        for tick, following, value in zip(ticks, [*ticks[1:], math.inf], values, strict=True)
        if tick < end and following > start
    ]


@given(pieces(max_quarters=20))
def test_first_tempo_and_changes_are_those_that_are_heard(piece):
    rows, got = rows_of(piece), measure(piece)
    tempi = values_heard(piece.tempo_ticks.tolist(), piece.tempo_bpm.tolist(), rows)
    metres = list(zip(piece.metre_numerator.tolist(), piece.metre_denominator.tolist(), strict=True))
    metres = values_heard(piece.metre_ticks.tolist(), metres, rows)
    assert got.tempo_first_bpm == tempi[0]
    assert got.n_tempo_changes == sum(a != b for a, b in itertools.pairwise(tempi))
    assert got.n_time_signature_changes == sum(a != b for a, b in itertools.pairwise(metres))


def test_a_tempo_stated_again_is_no_change_nor_is_one_before_or_after_the_music():
    piece = make_piece([(24, 96, 60, 80, 0)], 12, [(0, 60.0), (24, 90.0), (48, 90.0), (72, 100.0), (120, 50.0)])
    assert (measure(piece).tempo_first_bpm, measure(piece).n_tempo_changes) == (90.0, 1)


@given(st.lists(st.tuples(*map(st.integers, (0, 1, 0, 1), (60, 30, 127, 127)), st.sampled_from((0, 5, DRUMS))), min_size=1))
def test_voices_are_those_counted_tick_by_tick(rows):
    got = measure(make_piece(rows))
    assert got.mean_voices == pytest.approx(brute_force_voices(rows))


@given(pieces(max_quarters=60, bpm=(20.0, 300.0)))
def test_duration_and_notes_are_those_of_pretty_midi(piece):
    rows = list({(row[0], row[2], row[4]): row for row in rows_of(piece)}.values())
    changes = list(zip(piece.tempo_ticks.tolist(), piece.tempo_bpm.tolist(), strict=True))
    written = write_midi(make_piece(rows, piece.ticks_per_quarter, changes))
    got = measure(parse_midi(written))
    oracle = pretty_midi.PrettyMIDI(io.BytesIO(written))
    notes = [note for instrument in oracle.instruments for note in instrument.notes]
    assert got.duration_s == pytest.approx(max(note.end for note in notes), rel=1e-5)
    assert got.n_notes == len(notes)
    assert sorted(got.programs) == sorted(DRUMS if i.is_drum else i.program for i in oracle.instruments)


def test_the_mean_tempo_weighs_each_tempo_by_how_long_it_lasts():
    # 4 quarters at 60 bpm last 4 s, 4 at 120 last 2 s: 8 quarters in 6 s.
    piece = make_piece([(0, 96, 60, 80, 0)], 12, [(0, 60.0), (48, 120.0)])
    assert measure(piece).duration_s == pytest.approx(6.0)
    assert measure(piece).tempo_bpm == pytest.approx(80.0)


@pytest.mark.parametrize("key", KEYS)
def test_a_cadence_on_a_scale_is_in_its_key(key):
    tonic = KEYS.index(key) % 12
    steps = (0, 2, 4, 5, 7, 9, 11) if key.endswith("major") else (0, 2, 3, 5, 7, 8, 11)
    degrees = (0, 1, 2, 3, 4, 5, 6, 0, 4, 2, 0, 4, 0)
    piece = make_piece([(12 * i, 24 if d == 0 else 12, 60 + tonic + steps[d], 80, 0) for i, d in enumerate(degrees)])
    got = measure(piece)
    assert got.key == key
    assert 0.75 < got.key_confidence <= 1.0


def test_the_chromatic_scale_and_drums_alone_have_no_key():
    chromatic = measure(make_piece([(12 * i, 12, 60 + i, 80, 0) for i in range(12)]))
    drums = measure(make_piece([(12 * i, 12, 36 + i, 80, DRUMS) for i in range(3)]))
    assert (chromatic.key, chromatic.key_confidence) == (None, 0.0)
    assert (drums.key, drums.key_confidence, drums.pitch_min, drums.mean_voices) == (None, 0.0, None, 0.0)


def test_the_metre_is_the_one_that_holds_longest_in_all():
    note = [(0, 144 * 3, 60, 80, 0)]
    twice = make_piece(note, metres=[(0, 3, 4), (144, 4, 4), (144 + 192, 3, 4)])
    assert measure(twice).time_signature == "3/4"
    assert measure(make_piece(note, metres=[(0, 3, 4), (9999, 4, 4)])).time_signature == "3/4"


@pytest.mark.parametrize(
    ("end", "metres", "n_bars"),
    [
        (48, [(0, 4, 4)], 1),
        (49, [(0, 4, 4)], 2),
        (96, [(0, 3, 4)], 3),
        (72, [(0, 6, 8)], 2),
        (96, [(0, 4, 4), (48, 3, 4)], 3),
        (96, [(0, 4, 4), (30, 3, 4)], 3),
        (48, [(0, 4, 4), (480, 3, 4)], 1),
    ],
)
def test_bars_are_counted_by_the_metre_map_cut_bars_too(end, metres, n_bars):
    assert measure(make_piece([(0, end, 60, 80, 0)], metres=metres)).n_bars == n_bars


MELODY = [(12 * i, 12, 60 + i % 5, 80, 0) for i in range(16)]


STRUMMED = [(480 * i + 15 * string, 400, 48 + 7 * string, 80, 25) for i in range(8) for string in range(4)]


@pytest.mark.parametrize(
    ("rows", "polyphony"),
    [
        (MELODY, "mono"),
        ([*MELODY, (0, 1, 40, 80, 0)], "mono"),
        ([(12 * i, 14, 60 + i % 5, 80, 0) for i in range(16)], "mono"),
        ([(12 * i, 22, 60 + i % 5, 80, 0) for i in range(16)], "poly"),
        ([*MELODY, *((12 * i, 12, 67, 80, 0) for i in range(16))], "homo"),
        (STRUMMED, "homo"),
        ([*MELODY, *((12 * i, 12, 48, 80, 33) for i in range(16) if i % 8 != 7)], "homo"),
        ([*MELODY, *((24 * i, 24, 48, 80, 33) for i in range(8))], "poly"),
        ([*MELODY, *((48 * i, 48, 48, 80, 33) for i in range(4))], "poly"),
        ([*MELODY, *((12 * i + 6, 12, 72 + i % 7, 80, 40) for i in range(16))], "poly"),
        ([*MELODY, *((12 * i, 12, 36, 80, DRUMS) for i in range(16))], "mono"),
    ],
    ids=[
        "melody",
        "a moment of two",
        "legato",
        "let ring",
        "chords",
        "strummed",
        "bass on most",
        "bass on half",
        "bass on a quarter",
        "apart",
        "drums",
    ],
)
def test_polyphony_by_its_definition(rows, polyphony):
    assert measure(make_piece(rows, 480 if rows is STRUMMED else 12)).polyphony == polyphony


def test_the_end_of_one_piece_and_the_beginning_of_the_next_are_no_onset():
    short = make_piece([(0, 1, 60, 80, 0)], 1)
    # Six of seven notes begin together with others: just too few. Were the first one not alone, it would be enough.
    poly = make_piece(
        [(0, 480, 60, 80, 0), *((480 * i, 480, 60 + 4 * i % 7, 80, g) for i in (1, 2, 3) for g in (0, 40))], 480
    )
    assert measure_all(lay_out([short, poly, short, poly]))["polyphony"] == ["mono", "poly"] * 2


LIMITS = Limits(min_notes=4, max_notes=40, min_duration_s=2.0, max_duration_s=40.0)


@pytest.mark.parametrize(
    ("check", "amount", "reason", "detail"),
    [
        (check_notes, 3, "too_few_notes", "3 < 4"),
        (check_notes, 41, "too_many_notes", "41 > 40"),
        (check_duration, 1.99, "too_short", "1.99 s < 2 s"),
        (check_duration, 40.6, "too_long", "41 s > 40 s"),
    ],
)
def test_what_is_out_of_limits_is_refused_each_by_its_reason(check, amount, reason, detail):
    with pytest.raises(InvalidPiece) as caught:
        check(amount, LIMITS)
    assert (caught.value.reason, caught.value.detail) == (reason, detail)


@pytest.mark.parametrize(("check", "amounts"), [(check_notes, (4, 40)), (check_duration, (2.0, 40.0))])
def test_limits_themselves_are_within_limits(check, amounts):
    assert [check(amount, LIMITS) for amount in amounts] == [None, None]


def test_days_of_music_take_little_memory():
    long_notes = [(0, 480 * 10**6, 60 + i % 60, 80, i % 3) for i in range(1000)]
    piece = make_piece([*long_notes, (480 * 10**6, 480, 60, 80, DRUMS)], 480, metres=[(0, 1, 64)])
    tracemalloc.start()
    got = measure(piece)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert got.n_bars == 16 * (10**6 + 1)
    assert peak_bytes < 64 * 2**20


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_row_has_the_columns_of_the_schema_as_plain_values(seed):
    row = measure(compose(seed)).as_row()
    schema = pa.schema([field for field in PIECES if field.name in row])
    assert list(row) == schema.names == PIECES.names[-len(row) :]
    flat = [value for column in row.values() for value in (column if isinstance(column, list) else [column])]
    assert {type(value) for value in flat} <= {int, float, str, bool, type(None)}
    stored = pa.RecordBatch.from_pylist([row], schema=schema).to_pylist()[0]
    halves = {"pitch_classes", "note_lengths"}  # stored in half as many bits
    assert {name: stored[name] for name in row if name not in halves} == {n: v for n, v in row.items() if n not in halves}
    assert [stored[name] for name in halves] == [pytest.approx(row[name]) for name in halves]


def test_a_composed_loop_has_its_chords_key_and_families():
    got = measure(compose(4))
    assert (got.key_signature, got.has_drums) == (compose(4).key, True)
    assert len(got.families) == len(set(got.families)) <= got.n_tracks == 4
    assert got.progression is not None
    assert sum(got.note_lengths) == pytest.approx(1)


def test_drums_alone_have_no_pitches_chords_or_lengths():
    got = measure(make_piece([(12 * i, 12, 36 + i, 80, DRUMS) for i in range(8)], key="D minor"))
    assert (got.families, got.polyphony, got.n_pitches, got.chords, got.progression) == (["drums"], "mono", 0, [], None)
    assert (got.pitch_classes, got.note_lengths) == ([0.0] * 12, [0.0] * len(NOTE_LENGTHS))
    assert got.key_signature == "D minor"
