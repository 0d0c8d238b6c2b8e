from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from amt_ray.errors import InvalidPiece, MissingPackageError
from amt_ray.midi.corpus import default_works, work_to_midi
from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.midi.parse import parse_midi
from amt_ray.text.labels import GENRES

WORKS = {work.corpus_path: work for work in default_works()}


def test_the_list_has_150_works_with_paths_that_differ_in_any_file_system():
    assert len(default_works()) == 150
    assert len({work.midi_path.casefold() for work in default_works()}) == 150
    assert len(WORKS) == 150


def test_paths_are_safe_on_windows_macos_and_linux():
    for work in default_works():
        parts = work.midi_path.removesuffix(".mid").split("/")
        assert len(parts) == 2
        assert all(part == part.strip(" .") and part and not set(part) & set('<>:"\\|?*') for part in parts)
        assert len(work.midi_path.encode()) < 200


def test_a_title_with_forbidden_characters_makes_a_safe_path():
    work = replace(default_works(1)[0], composer="A/B", title='Who? "Me": *.')
    assert work.midi_path == "A-B/Who- -Me- -.mid"


def test_every_row_names_known_labels_a_licence_and_an_attribution():
    for work in default_works():
        assert set(work.instruments) <= set(INSTRUMENTS)
        assert work.genre in GENRES
        assert min(len(work.licence), len(work.attribution)) > 3
        assert work.bpm is None or 30 <= work.bpm <= 330


@pytest.mark.parametrize("folder", ["palestrina", "essenFolksong", "monteverdi", "trecento", "leadSheet", "demos"])
def test_scores_of_unclear_terms_are_left_out(folder):
    assert [path for path in WORKS if path.startswith(f"{folder}/")] == []


def test_limit_takes_a_beginning_that_is_varied():
    first = default_works(20)
    assert first == default_works()[:20]
    assert {"Johann Sebastian Bach", "Joseph Haydn", "Traditional"} <= {work.composer for work in first}
    assert len(default_works(10_000)) == 150
    with pytest.raises(ValueError, match="limit is -1"):
        default_works(-1)


def test_folk_tunes_are_a_minority():
    assert sum(work.genre == "folk" for work in default_works()) <= 25


def test_a_chorale_of_four_voices():
    pytest.importorskip("music21")
    piece = parse_midi(work_to_midi(WORKS["bach/bwv269.mxl"]))
    assert (piece.key, piece.programs, piece.ticks_per_quarter) == ("G major", [52], 480)
    assert (piece.metre_numerator.tolist(), piece.tempo_bpm.round().tolist()) == ([3], [76])
    # The pick-up of one beat stands before the second bar line: G in the bass, then B, D and G.
    start = piece.notes.take(piece.notes.onset_ticks == 2 * 480)
    assert start.pitch.tolist() == [43, 59, 62, 67]


def test_a_fiddle_tune_of_two_strains_each_played_twice():
    pytest.importorskip("music21")
    piece = parse_midi(work_to_midi(WORKS["ryansMammoth/BanishMisfortune.abc"]))
    assert piece.programs == [INSTRUMENTS.index("whistle")]
    assert 4 * 8 * 3 - 1 <= piece.end_ticks / 480 <= 4 * 8 * 3 + 3


def test_parts_in_one_file_after_another_are_brought_together():
    pytest.importorskip("music21")
    piece = parse_midi(work_to_midi(WORKS["josquin/oVenusBant.abc"]))
    assert [INSTRUMENTS[program] for program in piece.programs] == ["violin", "viola", "cello"]


def test_the_same_work_gives_the_same_bytes():
    pytest.importorskip("music21")
    work = WORKS["mozart/k545/movement1_exposition.mxl"]
    assert work_to_midi(work) == work_to_midi(work)


def test_a_score_that_is_not_there_is_unreadable():
    pytest.importorskip("music21")
    with pytest.raises(InvalidPiece, match=r"unreadable: bach/none\.mxl") as caught:
        work_to_midi(replace(default_works(1)[0], corpus_path="bach/none.mxl"))
    assert caught.value.reason == "unreadable"


def test_without_music21_the_error_names_the_pip_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "music21", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'amt_ray\[demo\]'"):
        work_to_midi(default_works(1)[0])
