"""The closed lists of labels that the event language has a token for. Their order is part of saved models."""

from __future__ import annotations

GENRES: tuple[str, ...] = (
    "renaissance",
    "baroque",
    "classical",
    "romantic",
    "modern",
    "art song",
    "sacred",
    "folk",
    "ragtime",
    "jazz",
    "blues",
    "rock",
    "pop",
    "country",
    "electronic",
    "hip hop",
    "soul",
    "latin",
    "world",
    "soundtrack",
)
MOODS: tuple[str, ...] = (
    "joyful",
    "melancholic",
    "calm",
    "energetic",
    "tense",
    "dark",
    "romantic",
    "epic",
    "playful",
    "dreamy",
)
