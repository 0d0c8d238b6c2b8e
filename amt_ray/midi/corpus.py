"""The scores that the package `music21` ships, as a MIDI library for people who have none.

`corpus.csv` lists the works, each with its composer, title, genre, instruments part by part, tempo, licence and
attribution; any beginning of the list is varied. The facts about licences come from three places: `music21`'s README and
its `corpus/license.txt` (the music is believed to be in the public domain in the US, EU and Canada, and the encodings are
in the public domain or used by permission; some carry terms of their own), the acknowledgements in its documentation
(Bach chorales: Margaret Greentree; quartets: Project Gutenberg; fiddle tunes: John Chambers; Josquin: Laura Conrad), and
what each score says of itself. Left out is what is reserved, non-commercial, unclear or by a composer of our time:
Palestrina, the Essen folk songs, Monteverdi, the trecento, lead sheets, and scores with a bare "Copyright".

Instruments are those of the score: for the chorales its own horns, trumpets, oboes and strings beside the choir, and for
some that have voices only, the organ, strings, brass or woodwind that commonly play them. Tempo is the score's own
(`bpm` empty) where someone chose one; else the movement's name and metre say it: Adagio 48 to 60, Andante 72 to 76, Menuetto
112 to 144, Allegro 120 to 168, Presto alla breve 300; chorales 76, and 84 with trumpets; jigs 168; reels 104 in 2/4 and
200 alla breve, hornpipes 88 and 168. The numbers count quarter notes a minute.
"""

from __future__ import annotations

import csv
import functools
import re
import warnings
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from amt_ray.errors import InvalidPiece, MissingPackageError
from amt_ray.midi.engraving import piece_of_score
from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.midi.write import write_midi

SOURCE = "music21 corpus"


@dataclass(frozen=True)
class CorpusWork:
    """One work: `corpus_path` is relative to music21's corpus folder, `bpm` counts quarter notes a minute."""

    corpus_path: str
    composer: str
    title: str
    genre: str
    instruments: tuple[str, ...]
    """One of `INSTRUMENTS` for each part from the top of the page; the last stands for all further parts."""
    bpm: float | None
    """Holds throughout; None where the score has metronome marks of its own."""
    licence: str
    attribution: str

    @property
    def midi_path(self) -> str:
        """`Composer/Title.mid`, with names that Windows, macOS and Linux take."""
        return f"{_file_name(self.composer)}/{_file_name(self.title)}.mid"


def default_works(limit: int | None = None) -> list[CorpusWork]:
    """Return the first `limit` works of the list, or all; ValueError for a negative limit."""
    if limit is not None and limit < 0:
        raise ValueError(f"limit is {limit}; name 0 or more works, or None for all")
    return list(_works()[:limit])


def work_to_midi(work: CorpusWork) -> bytes:
    """Parse one score of music21's corpus and write it as a Standard MIDI File; the same work gives the same bytes.

    Takes 0.01 to 1.3 s. Raises `InvalidPiece` with reason `unreadable` or `no_notes`, and `MissingPackageError` without
    music21.
    """
    path = _music21_folder() / "corpus" / work.corpus_path
    programs = [INSTRUMENTS.index(name) for name in work.instruments]
    try:
        return write_midi(piece_of_score(_parse(path), programs, work.bpm))
    except InvalidPiece:
        raise
    # music21 has no common exception: whatever one score makes it raise is that score's failure.
    except Exception as exc:
        raise InvalidPiece("unreadable", f"{work.corpus_path}: {type(exc).__name__}: {exc}"[:200]) from exc


def require_music21() -> None:
    """Raise `MissingPackageError` unless music21 can be imported."""
    _music21_folder()


@functools.cache
def _works() -> tuple[CorpusWork, ...]:
    table = resources.files("amt_ray.midi").joinpath("corpus.csv").read_text(encoding="utf-8")
    return tuple(_work_of_row(row) for row in csv.DictReader(table.splitlines()))


def _work_of_row(row: dict[str, str]) -> CorpusWork:
    return CorpusWork(
        corpus_path=row["corpus_path"],
        composer=row["composer"],
        title=row["title"],
        genre=row["genre"],
        instruments=tuple(row["instruments"].split(";")),
        bpm=float(row["bpm"]) if row["bpm"] else None,
        licence=row["licence"],
        attribution=row["attribution"],
    )


def _file_name(name: str) -> str:
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]+', "-", name).strip(" .")


def _music21_folder() -> Path:
    try:
        import music21
    except ImportError as exc:
        raise MissingPackageError("music21", "amt corpus", "pip install 'amt_ray[demo]'") from exc
    return Path(music21.__file__).parent


def _parse(path: Path) -> Any:
    from music21 import converter

    parser: Any = converter.Converter()
    with warnings.catch_warnings():
        # Bars with a beat too many, and the like: `piece_of_score` copes with them.
        warnings.simplefilter("ignore")
        # Pickles would save nothing on a first run, and workers would race to write them.
        parser.parseFileNoPickle(path)
    score: Any = parser.stream
    return score.mergeScores() if "Opus" in score.classes else score
