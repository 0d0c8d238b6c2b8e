"""Statements of one text that cannot both hold: two keys, a slow piece at 180 BPM, drums that are wanted and denied.

Two statements contradict each other only in one breath (`amt_ray.text.statements`): so some contradictions are missed, and
few are seen where there are none. Linear in the text's length; takes any string.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice, pairwise, product

from amt_ray.text.analysis import TextAnalysis
from amt_ray.text.chords import chord_runs
from amt_ray.text.clean import Token
from amt_ray.text.conflicts import word_conflicts
from amt_ray.text.keys import find_key
from amt_ray.text.lexicon import Kind, Match, Meaning
from amt_ray.text.notation import Found, T, find_bars, find_bpm, find_bpm_range, find_duration, find_time_signature
from amt_ray.text.statements import MAX_STATEMENTS, Span, are_in_one_sentence, every, in_one_breath, quote

_TEMPO_TOLERANCE, _FAR_APART = 1.15, 1.25
_LENGTH_TOLERANCE = 2.0
_SURE_TEMPO_WORD, _SURE_METRE_WORD, _SURE_KEY = 0.8, 0.6, 0.8
_MODE = re.compile(r"(?<![A-Za-z#♯♭])(major|minor)[ -](?:key|mode|tonality)(?![A-Za-z])", re.IGNORECASE)
_BETWEEN_TEMPI = re.compile(r",? ?(?:and )?", re.IGNORECASE)
_CLAIM_BEFORE = re.compile(r"\b(?:tempo|pace|marked)(?: (?:is|of|marking))?[:,]? ?$", re.IGNORECASE)
_CLAIM_AFTER = re.compile(r"[ -](?:tempo|pace)", re.IGNORECASE)
_CLAIM_REACH = 24


def contradictions(
    text: str, tokens: Sequence[Token], stated: Sequence[Match], denied: Sequence[Match], analysis: TextAnalysis
) -> tuple[str, ...]:
    """Return a sentence for each contradiction, which quotes both statements and says which was taken.

    `stated` and `denied` are the lexicons' terms in the text's order, `analysis` what was made of them.
    """
    checks = (_tempi, _tempo_words, _keys, _metres, _lengths)
    found = [sentence for check in checks for sentence in islice(check(text, stated, analysis), MAX_STATEMENTS)]
    return tuple(dict.fromkeys((*found, *word_conflicts(text, tokens, stated, denied, analysis))))


def _tempi(text: str, stated: Sequence[Match], analysis: TextAnalysis) -> Iterator[str]:
    """Two figures, or a figure and a range or a word: "a slow piece at 180 bpm"."""
    if analysis.tempo_bpm is None:
        return
    taken, figures = _taken_tempo(analysis), every(find_bpm, text)
    for one, other in _pairs(text, figures, lambda bpm, other_bpm: not _is_near(bpm, (other_bpm, other_bpm))):
        yield _twice("tempo", quote(text, one.span), quote(text, other.span), taken)
    ranges = [(found.value, found.span) for found in every(find_bpm_range, text)]
    words = [(meaning.bounds, match.span) for match, meaning in _meant(stated, "tempo", _SURE_TEMPO_WORD)]
    for bounds, span in (*ranges, *words):
        for figure in figures:
            if not _is_near(figure.value, bounds) and in_one_breath(text, figure.span, span):
                word = f"{quote(text, span)} ({_range(bounds)} BPM)"
                yield _twice("tempo", word, quote(text, figure.span), taken)


def _tempo_words(text: str, stated: Sequence[Match], analysis: TextAnalysis) -> Iterator[str]:
    """Find "slow and fast", "a slow tempo … a fast tempo"; "Adagio, Allegro, Presto" are movements."""
    words = list(_meant(stated, "tempo", _SURE_TEMPO_WORD))
    beside = [_BETWEEN_TEMPI.fullmatch(text, a.span[1], b.span[0]) is not None for (a, _), (b, _) in pairwise(words)]
    for i, ((one, meaning), (other, other_meaning)) in enumerate(pairwise(words)):
        slower, faster = sorted((meaning.bounds, other_meaning.bounds))
        is_list = any(beside[max(0, i - 1) : i]) or any(beside[i + 1 : i + 2])
        is_stated_twice = beside[i] and not is_list
        if not is_stated_twice and not (_is_claim(text, one.span) and _is_claim(text, other.span)):
            continue
        if slower[1] * _FAR_APART < faster[0] and in_one_breath(text, one.span, other.span):
            yield _twice("tempo", quote(text, one.span), quote(text, other.span), _taken_tempo(analysis))


def _keys(text: str, stated: Sequence[Match], analysis: TextAnalysis) -> Iterator[str]:
    """Two keys without a modulation; a mode that is not the key's."""
    if analysis.key is None:
        return
    runs = [(run[0].start(), run[-1].end()) for run in chord_runs(text) if len(run) > 1]
    keys = [
        key
        for key in every(find_key, text)
        if key.confidence >= _SURE_KEY and not any(start < key.span[1] and key.span[0] < end for start, end in runs)
    ]
    for one, other in _pairs(text, keys, operator.ne):
        yield _twice("key", quote(text, one.span), quote(text, other.span), analysis.key)
    for mode in islice(_MODE.finditer(text), MAX_STATEMENTS):
        for key in keys:
            if mode[1].lower() not in key.value and in_one_breath(text, key.span, mode.span()):
                yield _twice("mode", quote(text, key.span), quote(text, mode.span()), analysis.key)


def _metres(text: str, stated: Sequence[Match], analysis: TextAnalysis) -> Iterator[str]:
    """Two figures, or a figure and a dance: "a waltz in 4/4"."""
    if analysis.time_signature is None:
        return
    taken, figures = analysis.time_signature, every(find_time_signature, text)
    for one, other in _pairs(text, figures, operator.ne):
        if "+" not in text[one.span[1] : other.span[0]]:
            yield _twice("metre", quote(text, one.span), quote(text, other.span), taken)
    for match, meaning in _meant(stated, "metre", _SURE_METRE_WORD) if figures else ():
        for figure in figures:
            if _is_triple(figure.value) != _is_triple(meaning.name) and in_one_breath(text, figure.span, match.span):
                yield _twice("metre", f"{quote(text, match.span)} ({meaning.name})", quote(text, figure.span), taken)


def _lengths(text: str, stated: Sequence[Match], analysis: TextAnalysis) -> Iterator[str]:
    """Two numbers of bars, two durations, or bars that do not last as long as is said."""
    bars = every(find_bars, text) if analysis.bars is not None else []
    durations = every(find_duration, text) if analysis.duration_s is not None else []
    for one, other in _pairs(text, bars, operator.ne):
        if are_in_one_sentence(text, one.span, other.span):
            yield _twice("length", quote(text, one.span), quote(text, other.span), f"{analysis.bars} bars")
    for duration, next_duration in _pairs(text, durations, _are_apart):
        spans = duration.span, next_duration.span
        is_one_length = text[spans[0][1] : spans[1][0]].strip() in {"", "and"}  # "3 min 20 s"
        if analysis.duration_s and not is_one_length and are_in_one_sentence(text, *spans):
            yield _twice("length", quote(text, spans[0]), quote(text, spans[1]), f"{_range(analysis.duration_s)} seconds")
    for stated_bars, duration in product(bars[:1], durations[:1]):
        shortest, longest = (round(length_s) for length_s in _length_range_s(stated_bars.value, analysis))
        low, high = duration.value[0] / _LENGTH_TOLERANCE, duration.value[1] * _LENGTH_TOLERANCE
        is_far = longest < low or high < shortest
        if analysis.tempo_bpm and is_far and in_one_breath(text, stated_bars.span, duration.span):
            lasting = (
                f"{quote(text, stated_bars.span)} at {analysis.tempo_bpm:g} BPM last {_range((shortest, longest))} seconds"
            )
            yield f"{lasting}, not {quote(text, duration.span)}; {stated_bars.value} bars was taken."


def _length_range_s(bars: int, analysis: TextAnalysis) -> tuple[float, float]:
    """Bars of two to four quarter notes where no metre is stated."""
    metres = (analysis.time_signature,) * 2 if analysis.time_signature else ("2/4", "4/4")
    figures = ([int(figure) for figure in metre.split("/")] for metre in metres)
    shortest, longest = (bars * beats * 4 / unit * 60 / (analysis.tempo_bpm or math.inf) for beats, unit in figures)
    return shortest, longest


def _twice(what: str, one: str, other: str, taken: str) -> str:
    return f"The {what} is stated twice: {one} and {other}; {taken} was taken."


def _pairs(
    text: str, statements: Sequence[Found[T]], conflict: Callable[[T, T], bool]
) -> Iterator[tuple[Found[T], Found[T]]]:
    """Those of the statements that contradict each other, in the text's order."""
    for one, other in combinations(statements, 2):
        if conflict(one.value, other.value) and in_one_breath(text, one.span, other.span):
            yield one, other


def _meant(matches: Sequence[Match], kind: Kind, sure: float) -> Iterator[tuple[Match, Meaning]]:
    for match in matches:
        for meaning in match.meanings:
            if meaning.kind == kind and meaning.confidence >= sure:
                yield match, meaning


def _is_near(bpm: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] / _TEMPO_TOLERANCE <= bpm <= bounds[1] * _TEMPO_TOLERANCE


def _is_claim(text: str, span: Span) -> bool:
    """Whether a word is said of the tempo of the piece, not of a part that plays."""
    return any(
        (
            "tempo" in text[slice(*span)].lower(),
            _CLAIM_BEFORE.search(text, max(0, span[0] - _CLAIM_REACH), span[0]),
            _CLAIM_AFTER.match(text, span[1]),
        )
    )


def _is_triple(metre: str) -> bool:
    return int(metre.partition("/")[0]) % 3 == 0


def _are_apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    shorter, longer = sorted((one, other))
    return shorter[1] * _FAR_APART < longer[0]


def _taken_tempo(analysis: TextAnalysis) -> str:
    if analysis.tempo_bpm is not None:
        return f"{analysis.tempo_bpm:g} BPM"
    if analysis.tempo_range_bpm is not None:
        return f"{_range(analysis.tempo_range_bpm)} BPM"
    return "neither"


def _range(bounds: tuple[float, float]) -> str:
    low, high = bounds
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"
