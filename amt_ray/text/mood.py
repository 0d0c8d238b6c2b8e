"""The mood of a piece from its features, where they make it clear.

Valence and arousal are the axes of Russell's circumplex (1980, "A circumplex model of affect"). What moves a piece along
them, and which way, is in Gabrielsson and Lindström (2010, "The role of structure in the musical expression of emotions"):
the major mode is heard as happy or serene, the minor as sad or tense; fast, dense and loud music as excited, slow, thin and
soft music as calm or sad; a low register makes the sad sombre, as in Hevner (1937, "The affective value of pitch and tempo
in music"). How much each counts, and from where on a mood is clear, was chosen by hand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MIN_MODE_CONFIDENCE = 0.7
"""A mode that was estimated with less says nothing of the mood."""
CLEAR, EXTREME = 0.4, 0.8
"""The least arousal, up or down, of a mood that has a valence, and of one that has none."""
LOW_PITCH = 55
"""A piece whose range centres below this (MIDI note number) lies low."""
_MIDDLE_BPM, _MIDDLE_NOTES_PER_S, _MIDDLE_VELOCITY = 100.0, 4.0, 72.0
_FASTEST_BPM, _MOST_NOTES_PER_S, _LOUDEST_VELOCITY = 170.0, 14.0, 104.0
_TEMPO_WEIGHT, _RATE_WEIGHT, _LOUDNESS_WEIGHT = 0.45, 0.35, 0.2


def mood_of(features: Mapping[str, Any]) -> str | None:
    """Return the mood, of `amt_ray.text.labels.MOODS`, that mode, tempo, density, velocity and register agree on.

    Columns as in `amt_ray.schemas.PIECES`, each of which may be missing or None. None where the features are missing, where
    they say different things, and for the moods (romantic, epic, playful, dreamy) that they cannot tell.
    """
    arousal, is_major = _arousal(features), _is_major(features)
    if arousal is None or is_major is None:
        return "energetic" if arousal is not None and arousal >= EXTREME else None
    if arousal >= CLEAR:
        return "joyful" if is_major else "tense"
    if arousal <= -CLEAR:
        return "calm" if is_major else ("dark" if _lies_low(features) else "melancholic")
    return None


def _arousal(features: Mapping[str, Any]) -> float | None:
    """From -1 (sleepy) to 1 (excited); None without tempo or density."""
    bpm, density = _positive(features, "tempo_bpm"), _positive(features, "density_notes_per_beat")
    if bpm is None or density is None:
        return None
    pace = _between(math.log(bpm / _MIDDLE_BPM) / math.log(_FASTEST_BPM / _MIDDLE_BPM))
    # A sum of logarithms: the product of two tiny numbers is 0, which has none.
    log_rate = math.log(bpm) + math.log(density) - math.log(60 * _MIDDLE_NOTES_PER_S)
    rate = _between(log_rate / math.log(_MOST_NOTES_PER_S / _MIDDLE_NOTES_PER_S))
    return _TEMPO_WEIGHT * pace + _RATE_WEIGHT * rate + _LOUDNESS_WEIGHT * _loudness(features)


def _loudness(features: Mapping[str, Any]) -> float:
    """From -1 to 1; 0 where all notes are equally loud: nobody played them, the velocity is a program's preset."""
    mean, spread = _positive(features, "velocity_mean"), _positive(features, "velocity_std")
    if mean is None or spread is None:
        return 0.0
    return _between((mean - _MIDDLE_VELOCITY) / (_LOUDEST_VELOCITY - _MIDDLE_VELOCITY))


def _is_major(features: Mapping[str, Any]) -> bool | None:
    is_sure = (_positive(features, "key_confidence") or 0.0) >= MIN_MODE_CONFIDENCE
    mode = (features.get("key") or "").rpartition(" ")[2]
    return mode == "major" if is_sure and mode in {"major", "minor"} else None


def _lies_low(features: Mapping[str, Any]) -> bool:
    lowest, highest = _positive(features, "pitch_min"), _positive(features, "pitch_max")
    return lowest is not None and highest is not None and (lowest + highest) / 2 < LOW_PITCH


def _positive(features: Mapping[str, Any], column: str) -> float | None:
    value = features.get(column)
    return float(value) if value is not None and math.isfinite(value) and value > 0 else None


def _between(value: float) -> float:
    return max(-1.0, min(1.0, value))
