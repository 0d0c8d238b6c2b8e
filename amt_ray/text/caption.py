"""English captions of a piece, made from its features.

What a caption states, `amt_ray.text.analyse` reads back: key, metre, tempo, instruments (a property test holds this).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.text.facts import Facts, facts_of


def captions(features: Mapping[str, Any], seed: str) -> list[str]:
    """Return two or three captions of a piece, all different: a sentence, a description, a short prompt.

    `features` has the feature columns of `amt_ray.schemas.PIECES` and artist, title, genre; each may be missing, None or "".
    The same features and `seed` (the piece's id) give the same captions.
    """
    rng = random.Random(seed)
    facts = facts_of(features)
    texts = [_sentence(facts, rng), _description(facts, rng), _prompt(facts, rng)]
    return list(dict.fromkeys(texts))


def _sentence(facts: Facts, rng: random.Random) -> str:
    """Return as "A lively folk piece in G minor, in 6/8, for violin, viola and cello."."""
    kind, states_metre = _kind(facts, rng)
    clauses = [
        f"in {_key(facts, rng)}" if facts.key else "",
        "" if states_metre else _metre(facts, rng),
        _bpm(facts, rng) if rng.random() < 0.5 else "",
        f"for {_enumeration(facts.instruments)}" if facts.instruments else "",
        f"with {facts.texture}" if facts.texture and rng.random() < 0.3 else "",
    ]
    head, *tail = [_with_article(kind), *(clause for clause in clauses if clause)]
    text = f"{head} {tail[0]}{''.join(f', {clause}' for clause in tail[1:])}" if tail else f"{head} of music"
    return f"{text[0].upper()}{text[1:]}.{_origin(facts, rng)}"


def _description(facts: Facts, rng: random.Random) -> str:
    """Return a few short sentences in any order, each with one fact."""
    sentences = [
        f"It is played by {_enumeration(facts.instruments)}." if facts.instruments else "",
        f"The key is {_key(facts, rng)}." if facts.key else "",
        f"The time signature is {facts.metre}." if facts.metre else "",
        f"The tempo is {rng.choice(facts.tempo_words)}." if facts.tempo_words else "",
        f"It moves {_bpm(facts, rng)}." if facts.bpm and rng.random() < 0.5 else "",
        f"It has {facts.texture}." if facts.texture else "",
        f"It is {facts.n_bars} bars long." if facts.n_bars and rng.random() < 0.3 else "",
    ]
    stated = [sentence for sentence in sentences if sentence]
    rng.shuffle(stated)
    opening = _with_article(" ".join(filter(None, [facts.length, "piece of", facts.genre, "music"])))
    return " ".join([f"{opening[0].upper()}{opening[1:]}.", *stated]) + _origin(facts, rng)


def _prompt(facts: Facts, rng: random.Random) -> str:
    """Return what a hurried person would type: "slow piano piece in D minor"."""
    tempo = rng.choice(facts.tempo_words) if facts.tempo_words else ""
    if rng.random() < 0.4:
        parts = [tempo, facts.genre, _bpm(facts, rng)[3:], _metre(facts, rng)[3:], _key(facts, rng)]
        return ", ".join(filter(None, [*parts, *facts.instruments])) or "any music"
    alone = facts.instruments[0] if len(facts.instruments) == 1 else ""
    # "slow string ensemble" is another instrument than a string ensemble that plays slowly.
    is_ambiguous = f"{tempo} {alone}" in INSTRUMENTS
    words = [tempo, facts.genre, "" if is_ambiguous else alone, "piece"]
    if facts.instruments and (is_ambiguous or not alone):
        words.append(f"for {_enumeration(facts.instruments)}")
    if facts.key:
        words.append(f"in {_key(facts, rng)}")
    return " ".join(filter(None, words))


def _kind(facts: Facts, rng: random.Random) -> tuple[str, bool]:
    """Return the noun with its adjectives, and whether it says the metre ("waltz")."""
    is_waltz = facts.may_waltz and rng.random() < 0.3
    tempo = rng.choice(facts.tempo_words) if facts.tempo_words and rng.random() < 0.8 else ""
    words = [facts.length, tempo, facts.genre, "waltz" if is_waltz else "piece"]
    return " ".join(filter(None, words)), is_waltz


def _with_article(kind: str) -> str:
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


def _key(facts: Facts, rng: random.Random) -> str:
    if rng.random() < 0.3:
        tonic, _, mode = facts.key.partition(" ")
        return f"{tonic.replace('#', '-sharp').replace('b', '-flat')} {mode}".strip()
    return facts.key


def _metre(facts: Facts, rng: random.Random) -> str:
    return f"in {facts.metre}{rng.choice(['', ' time'])}" if facts.metre else ""


def _bpm(facts: Facts, rng: random.Random) -> str:
    unit = rng.choice(["BPM", "bpm", "beats per minute"])
    return f"at {facts.bpm} {unit}" if facts.bpm else ""


def _enumeration(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _origin(facts: Facts, rng: random.Random) -> str:
    if not facts.artist or rng.random() < 0.5:
        return ""
    if facts.title and rng.random() < 0.5:
        return f' Like "{facts.title}" by {facts.artist}.'
    return f" In the manner of {facts.artist}."
