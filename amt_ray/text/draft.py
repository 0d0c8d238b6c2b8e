"""A caption while it is written: what is still to be said of the piece, and what has been."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from amt_ray.text.caption_words import NOUN_PHRASES, Plan, Slot, plans, topic_of
from amt_ray.text.facts import Fact, Facts, Wording
from amt_ray.text.lexicon import lexicon

# A vowel's sound, as figures and single letters may have one: an 80-bar piece, an F minor chord, but a unison, a ii–V.
_TAKES_AN = re.compile(r"(?!one|uni|uku|eu|i+[v°–-]|i[°–-])[aeiou]|[AEIO](?![A-Z–-]|$)|8|1[18](?!\d)|F[ #♯-]|FM")
_OPEN = "~ "
"""After an indefinite article's "a", before it is known what follows."""
_ADJECTIVE_SHARE, _GENRE_SHARE, _WALTZ_SHARE, _SHORT_SHARE = 0.6, 0.7, 0.25, 0.3
"""How often a noun phrase says what it may say."""
_ATTRIBUTE_SHARE = _OTHERS_SHARE = 0.5


class Draft:
    """Fills plans, one topic never twice. `n_named` is the most instruments to name; a prompt is shorter of words."""

    def __init__(self, facts: Facts, n_named: int, is_prompt: bool, rng: random.Random) -> None:
        self.known, self.is_prompt, self.rng = facts, is_prompt, rng
        self.instruments = facts.instruments[:n_named]
        self.slots = NOUN_PHRASES | facts.wordings.keys() | _instrument_slots(len(self.instruments))
        self.unsaid = {topic_of(slot) for slot in self.slots - NOUN_PHRASES}
        self.said: set[Fact] = set()
        self.brought_to_mind: set[Fact] = set()

    def implied(self) -> frozenset[Fact]:
        """What the words bring to mind beside what they state; a single line of one instrument, that it is alone."""
        is_one_line = self.known.n_instruments == 1 and Fact("texture", "mono") in self.said
        return frozenset(self.brought_to_mind | ({Fact("exclusive", True)} if is_one_line else set()))

    def forget(self, share: float) -> None:
        """Leave some topics out."""
        self.unsaid = {topic for topic in sorted(self.unsaid) if self.rng.random() >= share}

    def sentence(self, form: str) -> str:
        """Fill one of a form's plans that say nothing again, rather one that says much; "" where there is none."""
        fitting = [plan for plan in plans(form) if plan.topics <= self.unsaid and plan.slots <= self.slots]
        if not fitting:
            return ""
        return self._filled(self.rng.choices(fitting, [1 + len(plan.topics) ** 2 for plan in fitting])[0])

    def _filled(self, plan: Plan) -> str:
        self.unsaid -= plan.topics
        text = ""
        for part in plan.parts:
            if isinstance(part, Slot):
                words = self._words(part.name)
                text = _with_article(text, words) + words
            else:
                text += part if isinstance(part, str) else self.rng.choice(part)
        return text

    def _words(self, slot: str) -> str:
        match slot:
            case "piece":
                return self._piece()
            case "a_piece":
                piece = self._piece()
                return _with_article(f"a{_OPEN}", piece) + piece
            case "instruments":
                return self._enumerated(self.instruments)
            case "lead":
                return self._say(self.rng.choice(self.instruments[0]))
            case "others":
                return self._enumerated(self.instruments[1:])
        return self._one(slot)

    def _one(self, slot: str) -> str:
        return self._say(self.rng.choice(self.known.wordings[slot]))

    def _say(self, wording: Wording) -> str:
        self.said |= wording.facts
        self.brought_to_mind |= wording.implied
        return wording.text

    def _enumerated(self, instruments: Sequence[Sequence[Wording]]) -> str:
        names = [self._say(self.rng.choice(ways)) for ways in instruments]
        if len(self.instruments) < self.known.n_instruments and not self.is_prompt and self.rng.random() < _OTHERS_SHARE:
            names.append("others")
        return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]

    def _piece(self) -> str:
        """Return a noun with some of mood, tempo and genre: "sad, slow folk tune"."""
        adjectives = [self._take(slot) for slot in ("mood", "tempo") if self._may_take(slot, _ADJECTIVE_SHARE)]
        if "genre_noun" in self.slots and self._may_take("genre_noun", _GENRE_SHARE):
            return self._phrase(adjectives, "", self._take("genre_noun"))
        genre = self._take("genre") if self._may_take("genre", _GENRE_SHARE) else ""
        if not adjectives and not genre and self._may_take("short", _SHORT_SHARE):
            return self._take("short")
        noun = self._take("waltz") if self._may_take("waltz", _WALTZ_SHARE) else self._one("noun")
        return self._phrase(adjectives, genre, noun)

    def _phrase(self, adjectives: list[str], genre: str, noun: str) -> str:
        described = " ".join(filter(None, [self.rng.choice([" ", ", ", " and "]).join(adjectives), genre]))
        return " ".join(filter(None, [described, self._attribute(described), noun]))

    def _attribute(self, described: str) -> str:
        """Return a prompt's only instrument as in "slow piano piece", but no "jazz guitar piece" for jazz on a guitar."""
        if not self.is_prompt or self.known.n_instruments != 1 or not self._may_take("instruments", _ATTRIBUTE_SHARE):
            return ""
        wording = self.rng.choice(self.instruments[0])
        last = described.rpartition(" ")[2].lower()
        if wording.text.endswith("s") or f"{last} {wording.text}" in lexicon().meanings:
            return ""
        self.unsaid.discard("instruments")
        return self._say(wording)

    def _may_take(self, slot: str, share: float) -> bool:
        return slot in self.slots and topic_of(slot) in self.unsaid and self.rng.random() < share

    def _take(self, slot: str) -> str:
        self.unsaid.discard(topic_of(slot))
        return self._one(slot)


def _instrument_slots(n_named: int) -> set[str]:
    return {"instruments", "lead", "others"} if n_named > 1 else {"instruments"} if n_named else set()


def _with_article(text: str, following: str) -> str:
    """Complete the indefinite article that a text ends with, if it does."""
    if not text.endswith(_OPEN):
        return text
    return f"{text[: -len(_OPEN)]}{'n' if _TAKES_AN.match(following) else ''} "
