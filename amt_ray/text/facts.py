"""What may be said of a piece in a caption, from its features.

Words of other people (artist, title, genre) are used only where they do not say something else about the music than the
features do: a "Waltz in D minor" that stands in C major keeps its title to itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amt_ray.midi.instruments import DRUMS, INSTRUMENTS
from amt_ray.midi.keys import KEYS, MIN_KEY_CONFIDENCE
from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import TextAnalysis
from amt_ray.text.lexicon import tempo_words
from amt_ray.text.notation import FASTEST_BPM, SLOWEST_BPM, TIME_SIGNATURES

MAX_INSTRUMENTS = 5
SHORT_S, LONG_S, LONGEST_S = 90.0, 300.0, 900.0
SPARSE_NOTES_PER_BEAT, DENSE_NOTES_PER_BEAT = 1.0, 6.0
MAX_BARS = 64
MAX_NAME_CHARS = 60

_TEXTURES = {"mono": "a single melodic line", "homo": "a chordal texture", "poly": "a polyphonic texture"}
_NOBODY = frozenset({"traditional", "anonymous", "unknown", "various", "various artists"})


@dataclass(frozen=True)
class Facts:
    """What may be said of a piece; empty where nothing is."""

    tempo_words: tuple[str, ...]
    bpm: int | None
    key: str
    metre: str
    may_waltz: bool
    instruments: tuple[str, ...]
    texture: str
    length: str
    n_bars: int | None
    genre: str
    artist: str
    title: str


def facts_of(features: Mapping[str, Any]) -> Facts:
    """Choose what may be said. Columns as in `amt_ray.schemas.PIECES`, each of which may be missing, None or ""."""
    bpm, duration_s = _number(features.get("tempo_bpm")), _number(features.get("duration_s"))
    density = _number(features.get("density_notes_per_beat"))
    has_bpm = bpm is not None and SLOWEST_BPM <= round(bpm) <= FASTEST_BPM
    key, n_bars = features.get("key") or "", features.get("n_bars") or 0
    metre = features.get("time_signature") or ""
    is_sure = (_number(features.get("key_confidence")) or 0.0) >= MIN_KEY_CONFIDENCE
    return Facts(
        tempo_words=tuple(word for word, bounds in tempo_words(True).items() if _within(bpm, bounds)),
        bpm=round(bpm) if bpm is not None and has_bpm else None,
        key=key if key in KEYS and is_sure else "",
        metre=metre if metre in TIME_SIGNATURES else "",
        may_waltz=metre == "3/4" and _within(bpm, tempo_words()["waltz"]),
        instruments=_instruments(features.get("programs")),
        texture=_texture(features.get("polyphony"), density),
        length=_length(duration_s),
        n_bars=int(n_bars) if 0 < n_bars <= MAX_BARS else None,
        genre=_harmless(features, "genre", bpm).lower(),
        artist=_harmless(features, "artist", bpm),
        title=_harmless(features, "title", bpm),
    )


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _within(value: float | None, bounds: tuple[float, float]) -> bool:
    return value is not None and bounds[0] <= value <= bounds[1]


def _instruments(programs: Sequence[int] | None) -> tuple[str, ...]:
    """Name the most prominent programs, drums last."""
    prominent = [int(program) for program in (programs if programs is not None else ())][:MAX_INSTRUMENTS]
    return tuple(INSTRUMENTS[program] for program in sorted(prominent, key=lambda program: program == DRUMS))


def _texture(polyphony: str | None, density_notes_per_beat: float | None) -> str:
    texture = _TEXTURES.get(polyphony or "", "")
    density = density_notes_per_beat
    if density is None or SPARSE_NOTES_PER_BEAT <= density <= DENSE_NOTES_PER_BEAT:
        return texture
    adjective = "sparse" if density < SPARSE_NOTES_PER_BEAT else "dense"
    return f"{texture or 'a texture'}, rather {adjective}"


def _length(duration_s: float | None) -> str:
    if _within(duration_s, (5.0, SHORT_S)):
        return "short"
    return "long" if _within(duration_s, (LONG_S, LONGEST_S)) else ""


def _harmless(features: Mapping[str, Any], column: str, bpm: float | None) -> str:
    """Return the words of a column where they claim nothing about the music that the features do not; "" otherwise."""
    words = " ".join(str(features.get(column) or "").split())
    if not words or len(words) > MAX_NAME_CHARS or words.lower() in _NOBODY:
        return ""
    claimed = analyse(f"{words} violin")  # words of denial would deny what follows them
    agrees = (
        _claims_no_figures(claimed)
        and [mention.name for mention in claimed.instruments] == ["violin"]
        and claimed.time_signature in {None, features.get("time_signature")}
        and claimed.polyphony in {None, features.get("polyphony")}
        and (claimed.tempo_range_bpm is None or _within(bpm, claimed.tempo_range_bpm))
    )
    return words if agrees else ""


def _claims_no_figures(claimed: TextAnalysis) -> bool:
    figures = (claimed.key, claimed.tempo_bpm, claimed.bars, claimed.duration_s)
    return all(figure is None for figure in figures) and not claimed.excluded_instruments
