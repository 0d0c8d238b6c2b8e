"""How pleasant and how excited a text's moods are: their places on the circumplex of affect (Russell, 1980)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from amt_ray.text.analysis import Label
from amt_ray.text.lexicon_files import read_rows


def affect_of(moods: Sequence[Label]) -> tuple[float, float] | None:
    """Return valence (-1 unpleasant to 1 pleasant) and arousal (-1 sleepy to 1 excited) of the moods together.

    It is the mean of the moods' places (Russell, 1980, "A circumplex model of affect"), weighted by their confidence.
    Labels without a place ("film") are left out; None where no label has one, or none any confidence.
    """
    placed = [(mood.confidence, place) for mood in moods if (place := place_of(mood.name)) is not None]
    total = sum(confidence for confidence, _ in placed)
    if total <= 0:
        return None
    valence, arousal = (round(sum(weight * place[axis] for weight, place in placed) / total, 4) for axis in (0, 1))
    return valence, arousal


def place_of(word: str) -> tuple[float, float] | None:
    """Return valence and arousal, each -1..1, of a mood or an adjective in lower case; None for one not in the table."""
    return _places().get(word)


@cache
def _places() -> dict[str, tuple[float, float]]:
    return {row["term"]: (float(row["valence"]), float(row["arousal"])) for row in read_rows("affect")}
