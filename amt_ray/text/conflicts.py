"""Words of one text that cannot both hold: who plays, how many voices there are, which mood it has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from amt_ray.midi.instruments import DRUMS
from amt_ray.text.affect import place_of
from amt_ray.text.analysis import TextAnalysis
from amt_ray.text.clean import Token, stop_words
from amt_ray.text.lexicon import Match, family_programs
from amt_ray.text.statements import MAX_STATEMENTS, in_one_breath, quote

_NEIGHBOURS = 12
_BARE_DENIAL_WORDS = "no without not any a an the of or nor never minus sans excluding omit avoid"
_DENIED_BARELY = frozenset(_BARE_DENIAL_WORDS.split())
# "solo violin with orchestra" is a concerto, "and string orchestra" too.
_ACCOMPANIMENT = re.compile(
    r"\b(?:orchestra\w*|concerto|accompan\w*|continuo|band|backing|backed|ensemble)\b", re.IGNORECASE
)
_ACCOMPANIMENT_REACH = 40
_ADDED = re.compile(r"(?: (?:only|alone))?,? (?:with|plus|and|over) (?:\w{1,20} ){0,2}", re.IGNORECASE)
_LISTED = re.compile(r",? ?(?:(?:and|or|&) )?(?:an? |the )?", re.IGNORECASE)
_SOLO = frozenset({"solo"})
_ALONE_BEFORE = frozenset({"only", "just", "solely", "exclusively", "purely", "unaccompanied"}) | _SOLO
_ALONE_AFTER = frozenset({"only", "alone", "unaccompanied"})
_ARTICLES = frozenset({"a", "an", "the", "one"})
_OF_THE_TEXTURE = re.compile(
    r" (?:texture|music|piece|composition|work|song|\w{1,20}-part|\w{1,20}[ -]voice|fugue|canon|chant)\b| ?[,.;]|$"
)
_SURE_TEXTURE = 0.8
_BETWEEN_MOODS = re.compile(r",? ?(?:\w{1,20}ly |very |so )?", re.IGNORECASE)
_OPPOSITE_FROM, _SURE_MOOD = 0.25, 0.8
_SPARSE, _DENSE = frozenset({"sparse", "sparsely"}), frozenset({"dense", "densely"})
_DENSITY_REACH_TOKENS = 12


@dataclass(frozen=True)
class _Reading:
    text: str
    tokens: Sequence[Token]
    stated: Sequence[Match]
    denied: Sequence[Match]
    analysis: TextAnalysis


def word_conflicts(
    text: str, tokens: Sequence[Token], stated: Sequence[Match], denied: Sequence[Match], analysis: TextAnalysis
) -> tuple[str, ...]:
    """Return a sentence for each conflict; the arguments are those of `amt_ray.text.contradictions.contradictions`."""
    reading = _Reading(text, tokens, stated, denied, analysis)
    checks = (_wanted_and_denied, _alone_with_others, _one_voice_and_more, _opposite_moods, _sparse_and_dense)
    return tuple(sentence for check in checks for sentence in islice(check(reading), MAX_STATEMENTS))


def _wanted_and_denied(reading: _Reading) -> Iterator[str]:
    """Find "piano … no piano", but not "no piano solo"."""
    denied = frozenset(reading.denied)
    matches = sorted((*reading.stated, *denied), key=lambda match: match.first)
    for i, match in enumerate(matches):
        if match not in denied or not _programs(match) or not _is_denied_wholly(reading.tokens, match):
            continue
        for other in (*matches[max(0, i - _NEIGHBOURS) : i], *matches[i + 1 : i + 1 + _NEIGHBOURS]):
            if other not in denied and _is_of(reading, other, match) and in_one_breath(reading.text, match.span, other.span):
                wanted, unwanted = quote(reading.text, other.span), quote(reading.text, match.span)
                yield f"An instrument is wanted ({wanted}) and denied ({unwanted}); the denial was taken."
                break


def _is_denied_wholly(tokens: Sequence[Token], match: Match) -> bool:
    following = tokens[match.last + 1 : match.last + 2]
    is_last = not following or not following[0].is_joined or following[0].word in stop_words()
    return is_last and (match.first == 0 or tokens[match.first - 1].word in _DENIED_BARELY)


def _is_of(reading: _Reading, wanted: Match, denied: Match) -> bool:
    """Whether an instrument is the denied one or of the denied family; of drums only the word itself."""
    names = [_singular(reading.text[slice(*match.span)]) for match in (wanted, denied)]
    if names[0] == names[1]:
        return bool(_programs(wanted))
    family = frozenset(family_programs().get(reading.text[slice(*denied.span)].lower(), ()))
    return bool(_programs(wanted)) and DRUMS not in _programs(wanted) and _programs(wanted) <= family


def _singular(words: str) -> str:
    return words.lower().removesuffix("s")


def _programs(match: Match) -> frozenset[int]:
    return frozenset(p for meaning in match.meanings if meaning.kind == "instrument" for p in meaning.programs)


def _alone_with_others(reading: _Reading) -> Iterator[str]:
    """Find "solo piano with strings" and "only piano … and a flute"."""
    text, instruments = reading.text, [match for match in reading.stated if _programs(match)]
    for i, match in enumerate(instruments):
        alone, word = _alone(text, reading.tokens, match)
        other = _other_beside(text, instruments, i) if alone else None
        if other is None or not in_one_breath(text, match.span, other.span):
            continue
        if word not in _SOLO or not _ACCOMPANIMENT.search(text, match.span[0], other.span[1] + _ACCOMPANIMENT_REACH):
            yield f"{alone} plays alone and with {quote(text, other.span)}; both were taken."


def _alone(text: str, tokens: Sequence[Token], match: Match) -> tuple[str, str]:
    """Quote an instrument with the word that says it plays alone, and return the word; "" where there is none."""
    before = match.first - 1
    if before > 0 and tokens[before].word in _ARTICLES:
        before -= 1
    if before >= 0 and tokens[before].word in _ALONE_BEFORE and (before == 0 or tokens[before - 1].word != "not"):
        return quote(text, (tokens[before].start, match.span[1])), tokens[before].word
    after = match.last + 1
    if after < len(tokens) and tokens[after].is_joined and tokens[after].word in _ALONE_AFTER:
        return quote(text, (match.span[0], tokens[after].end)), tokens[after].word
    return "", ""


def _other_beside(text: str, instruments: Sequence[Match], i: int) -> Match | None:
    """The instrument that is added to a list of those that play alone: strings in "only piano and harp with strings"."""
    for one, other in pairwise(instruments[i : i + _NEIGHBOURS]):
        if _LISTED.fullmatch(text, one.span[1], other.span[0]):
            continue
        is_added = _ADDED.fullmatch(text, one.span[1], other.span[0])
        return other if is_added and _programs(other).isdisjoint(_programs(instruments[i])) else None
    return None


def _one_voice_and_more(reading: _Reading) -> Iterator[str]:
    """Find "monophonic four-part fugue", but not the monophonic lead of a synthesiser."""
    text = reading.text
    textures = [(m, meaning) for m in reading.stated for meaning in m.meanings if meaning.kind == "polyphony"]
    single = [m for m, meaning in textures if meaning.name == "mono" and meaning.confidence >= _SURE_TEXTURE]
    several = [m for m, meaning in textures if meaning.name != "mono" and meaning.confidence >= _SURE_TEXTURE]
    spans = [match.span for match in several]
    if "chords" in reading.analysis.evidence:
        spans.append(reading.analysis.evidence["chords"].span)
    for match in single[:MAX_STATEMENTS] if reading.analysis.polyphony else ():
        for span in spans[:MAX_STATEMENTS]:
            if _OF_THE_TEXTURE.match(text, match.span[1]) and in_one_breath(text, match.span, span):
                taken = reading.analysis.polyphony
                yield f"One voice ({quote(text, match.span)}) and several ({quote(text, span)}); {taken} was taken."


def _opposite_moods(reading: _Reading) -> Iterator[str]:
    """Find "happy, sad": moods side by side, opposite in both valence and arousal; "happy but sad" is a mixture."""
    moods = [match for match in reading.stated if any(meaning.kind == "mood" for meaning in match.meanings)]
    for one, other in pairwise(moods):
        are_beside = _BETWEEN_MOODS.fullmatch(reading.text, one.span[1], other.span[0])
        if are_beside and _are_opposite(reading.text, one, other) and in_one_breath(reading.text, one.span, other.span):
            first, second = quote(reading.text, one.span), quote(reading.text, other.span)
            yield f"The mood is stated twice: {first} and {second}; both were taken."


def _are_opposite(text: str, one: Match, other: Match) -> bool:
    places = [_place(text, match) for match in (one, other)]
    if places[0] is None or places[1] is None:
        return False
    axes = zip(*places, strict=True)
    return all(min(axis) <= -_OPPOSITE_FROM and max(axis) >= _OPPOSITE_FROM for axis in axes)


def _place(text: str, match: Match) -> tuple[float, float] | None:
    sure = (m.name for m in match.meanings if m.kind == "mood" and m.confidence >= _SURE_MOOD)
    places = map(place_of, (text[slice(*match.span)].lower(), *sure))
    return next((place for place in places if place), None)


def _sparse_and_dense(reading: _Reading) -> Iterator[str]:
    words = [(i, token) for i, token in enumerate(reading.tokens) if token.word in _SPARSE | _DENSE]
    for (i, one), (j, other) in pairwise(words):
        is_conflict = (one.word in _SPARSE) != (other.word in _SPARSE) and j - i <= _DENSITY_REACH_TOKENS
        spans = (one.start, one.end), (other.start, other.end)
        if is_conflict and in_one_breath(reading.text, *spans):
            taken = reading.analysis.density or "neither"
            first, second = (quote(reading.text, span) for span in spans)
            yield f"The density is stated twice: {first} and {second}; {taken} was taken."
