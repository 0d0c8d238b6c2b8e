import dataclasses

import pytest
from strategies import make_piece

from amt_ray.generation.checks import Check, check_requests
from amt_ray.generation.request import new_request, plan
from amt_ray.midi.instruments import DRUMS

SOLO = [(12 * i, 12, 60 + i % 5, 80, 73) for i in range(24)]
CHORDS = [(48 * i, 48, pitch, 80, 0) for i in range(6) for pitch in (48, 52, 55)]
WALTZ = make_piece(SOLO, tempi=[(0, 100.0)], metres=[(0, 3, 4)], key="D minor")
BAND = make_piece([*SOLO, *CHORDS, (0, 12, 36, 90, DRUMS)], tempi=[(0, 150.0)], key="C major")


def checks(text, piece, n_bars=8, **options):
    return {check.name: check for check in check_requests(plan(new_request(text=text, **options), None), piece, n_bars)}


def test_all_that_was_asked_for_and_met():
    got = check_requests(
        plan(new_request(text="solo flute in D minor, 3/4, 100 bpm, 8 bars, a calm folk tune"), 2), WALTZ, 8
    )
    assert got == (
        Check("instrument", "flute", "sounds", True),
        Check("no other instrument", "none", "none", True),
        Check("key signature", "D minor", "D minor", True),
        Check("metre", "3/4", "3/4", True),
        Check("tempo", "100 bpm", "100 bpm", True),
        Check("polyphony", "mono", "mono", True),
        Check("bars", "8", "8", True),
    )


def test_all_that_was_asked_for_and_not_met():
    request = new_request(text="solo oboe in D minor, 3/4, 100 bpm, 8 bars, without drums")
    got = check_requests(plan(request, None), BAND, 6)
    assert [(check.name, check.asked, check.got) for check in got] == [
        ("instrument", "oboe", "absent"),
        ("no other instrument", "none", "flute, piano, drums"),
        ("without", "drums", "sounds"),
        ("key signature", "D minor", "C major"),
        ("metre", "3/4", "4/4"),
        ("tempo", "100 bpm", "150 bpm"),
        ("polyphony", "mono", "poly"),
        ("bars", "8", "6"),
    ]
    assert {check.is_met for check in got} == {False}


def test_nothing_asked_nothing_checked():
    assert check_requests(plan(new_request(text="something"), 3), BAND, 6) == ()


@pytest.mark.parametrize(("bpm", "is_met"), [(95.1, True), (104.9, True), (94.9, False), (105.1, False)])
def test_a_tempo_within_five_percent_is_met(bpm, is_met):
    piece = dataclasses.replace(WALTZ, tempo_bpm=WALTZ.tempo_bpm * 0 + bpm)
    assert checks("at 100 bpm", piece)["tempo"].is_met == is_met


def test_each_instrument_has_its_own_answer():
    plan_of = plan(new_request(text="music", instruments=["flute", "violin", "drums"]), None)
    got = [(check.name, check.asked, check.is_met) for check in check_requests(plan_of, BAND, 6)]
    assert got == [
        ("instrument", "flute", True),
        ("instrument", "violin", False),
        ("instrument", "drums", True),
        ("no other instrument", "none", False),
    ]


def test_a_piece_without_a_key_does_not_meet_one():
    assert checks("in D minor", make_piece(SOLO))["key signature"] == Check("key signature", "D minor", "None", False)
