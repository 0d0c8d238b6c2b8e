import re

import pretty_midi
import pytest

from amt_ray.midi.instruments import DRUMS, FAMILIES, INSTRUMENTS, N_PROGRAMS, family_of


def test_every_program_has_its_own_name():
    assert len(INSTRUMENTS) == len(set(INSTRUMENTS)) == N_PROGRAMS == 129
    assert INSTRUMENTS[DRUMS] == "drums"


@pytest.mark.parametrize(
    ("program", "name", "family"),
    [
        (0, "piano", "piano"),
        (6, "harpsichord", "piano"),
        (24, "nylon-string guitar", "guitar"),
        (33, "electric bass", "bass"),
        (40, "violin", "strings"),
        (56, "trumpet", "brass"),
        (65, "alto saxophone", "reed"),
        (73, "flute", "pipe"),
        (127, "gunshot", "sound effects"),
        (DRUMS, "drums", "drums"),
    ],
)
def test_programs_are_where_general_midi_has_them(program, name, family):
    assert (INSTRUMENTS[program], family_of(program)) == (name, family)


def test_families_are_those_of_pretty_midi():
    """Its names of the 16 classes differ in words only; the first letters do not."""
    theirs = [pretty_midi.program_to_instrument_class(8 * index).lower() for index in range(16)]
    assert len(FAMILIES) == 16
    assert [name[:4] for name in FAMILIES] == [name[:4] for name in theirs]


def test_families_are_runs_of_eight():
    assert [family_of(program) for program in range(128)] == [family for family in FAMILIES for _ in range(8)]


def words(name):
    return set(re.findall("[a-z]+", name.lower()))


@pytest.mark.parametrize("program", range(128))
def test_every_name_shares_a_word_with_pretty_midis(program):
    theirs = {23: "bandoneon", 43: "double bass"}.get(program, pretty_midi.program_to_instrument_name(program))
    assert words(INSTRUMENTS[program]) & words(theirs)
