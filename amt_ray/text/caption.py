"""English captions of a piece, made from its features, which know what they state.

A caption fills sentence plans (`caption_plans.json`) with words for the piece's facts until what was to be said is
said. What it states, `amt_ray.text.analyse` reads back, and nothing else: a property test and
`benchmarks/captions.py` hold `Caption.facts` against `amt_ray.text.facts.stated` of its analysis.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from amt_ray.text.draft import Draft
from amt_ray.text.facts import MAX_INSTRUMENTS, Fact, Facts, facts_of

Form = Literal["full", "description", "sentence", "prompt"]
"""Everything there is to say; some of it; one sentence; what a person types who wants such a piece."""
FORMS: tuple[Form, ...] = ("full", "description", "sentence", "prompt")
FEWEST_NAMED, MOST_NAMED = 2, 5
"""Instruments that a caption names, if there are as many, which does not say everything."""
_DROPPED_SHARE = 0.4
_DRAWS = 12


@dataclass(frozen=True)
class Caption:
    """A text, the facts that it states, and others that its words bring to mind (see `amt_ray.text.facts.Wording`)."""

    text: str
    facts: frozenset[Fact]
    implied: frozenset[Fact]


def caption(features: Mapping[str, Any], metadata: Mapping[str, Any], rng: random.Random) -> str:
    """Say in English what a musician would hear in a piece: a prompt, a sentence or a description, as `rng` decides.

    `features` has columns of `amt_ray.schemas.PIECES`, `metadata` artist, title and genre; each may be missing, None or "".
    """
    return compose(facts_of(features, metadata), rng.choice(FORMS), rng).text


def captions(features: Mapping[str, Any], metadata: Mapping[str, Any], seed: str) -> list[str]:
    """Return a caption of each form, all different; fewer than four where next to nothing is known of the piece.

    Takes what `caption` takes. The same features, metadata and `seed` (the piece's id) give the same captions.
    """
    rng, facts = random.Random(seed), facts_of(features, metadata)
    texts: list[str] = []
    for form in FORMS:
        draws = (compose(facts, form, rng).text for _ in range(_DRAWS))
        texts += [text for text in [next((text for text in draws if text not in texts), "")] if text]
    return texts


def compose(facts: Facts, form: Form, rng: random.Random) -> Caption:
    """Write one caption, in about a tenth of a millisecond."""
    named = MAX_INSTRUMENTS if form == "full" else rng.randint(FEWEST_NAMED, MOST_NAMED)
    draft = Draft(facts, named, form == "prompt", rng)
    if form == "description":
        draft.forget(_DROPPED_SHARE)
    text = draft.sentence("prompt") if form == "prompt" else " ".join(map(_capitalised, _sentences(draft, form)))
    return Caption(text, frozenset(draft.said), draft.implied())


def _sentences(draft: Draft, form: Form) -> Iterator[str]:
    yield draft.sentence("opening")
    while form != "sentence" and (following := draft.sentence("sentence")):
        yield following
    if form != "sentence" and (origin := draft.sentence("origin")):
        yield origin


def _capitalised(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
