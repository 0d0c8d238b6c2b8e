"""The instruments that a text asks for and those that it excludes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from amt_ray.midi.instruments import DRUMS, INSTRUMENTS
from amt_ray.text.analysis import Mention
from amt_ray.text.clean import Token
from amt_ray.text.lexicon import Match, Meaning, family_programs

# "no guitar solo" denies the solo.
_PARTS_PLAYED_WORDS = "solo solos fill fills riff riffs break breaks roll rolls distortion effects"
_PARTS_PLAYED = frozenset(_PARTS_PLAYED_WORDS.split())
# "not a big band song" denies no instrument.
_PIECES_WORDS = "song piece style arrangement number tune track sound"
_PIECES = frozenset(_PIECES_WORDS.split())
_WHOLE_KITS = ("drum", "perc", "kit", "beat", "schlagzeug", "batter", "bater")
_OPENS_LIST = re.compile(r"\s*[:(\[]\s*(?:an? |two |the |solo )?", re.IGNORECASE)
_ADJECTIVE, _FEW_OTHERS = 0.5, 1


@dataclass(frozen=True)
class _Named:
    """A mention, and whether the text names the instrument itself or an ensemble that has it."""

    mention: Mention
    is_member: bool


def mentions(
    text: str, tokens: Sequence[Token], stated: Sequence[Match], denied: Sequence[Match]
) -> tuple[tuple[Mention, ...], tuple[Mention, ...]]:
    """Return the instruments that are wanted and those that are not, each in the text's order; none is both.

    An ensemble is its members but the excluded ones ("string quartet minus the viola"); a family is excluded but for what
    the text names of it ("no strings but a solo cello").
    """
    wanted = _without_adjectives(_named(_spelled_out(text, stated)))
    sounds_kit = any(named.mention.programs == (DRUMS,) for named in wanted)
    unwanted = [
        replace(named.mention, programs=_family(text, named.mention))
        for named in _named(denied, is_denial=True)
        if not _is_of_part(text, tokens, named, denied, sounds_kit)
    ]
    spared = {named.mention.programs[0]: named.mention.name for named in wanted if not named.is_member}
    excluded = tuple(mention for m in unwanted if (mention := _sparing(m, spared)))
    programs = {program for mention in excluded for program in mention.programs}
    return tuple(mention for named in wanted if (mention := _remaining(named, programs))), excluded


def _spelled_out(text: str, matches: Sequence[Match]) -> Iterator[Match]:
    """Leave out an ensemble whose members follow it: "a piano trio (piano, bass, drums)"."""
    for match, following in zip_longest(matches, matches[1:]):
        is_list = following is not None and _OPENS_LIST.fullmatch(text, match.span[1], following.span[0])
        if not (is_list and _is_ensemble(match) and following and any(m.kind == "instrument" for m in following.meanings)):
            yield match


def _is_ensemble(match: Match) -> bool:
    return sum(meaning.kind == "instrument" for meaning in match.meanings) > 1


def _named(matches: Iterable[Match], is_denial: bool = False) -> list[_Named]:
    """Instruments in the text's order, each once; "the bass" after "slap bass" is the same instrument."""
    found: dict[str, _Named] = {}
    for match in matches:
        instruments = [meaning for meaning in match.meanings if meaning.kind == "instrument"]
        for meaning in instruments:
            if is_denial and meaning.confidence < _ADJECTIVE:
                continue
            if not _refers_back(meaning, match.span, found.values()):
                mention = Mention(meaning.name, meaning.programs, meaning.confidence, match.span)
                named = _Named(mention, is_member=len(instruments) > 1)
                if meaning.name not in found or _is_surer(named, found[meaning.name]):
                    found[meaning.name] = named
    return sorted(found.values(), key=lambda named: named.mention.span)


def _refers_back(meaning: Meaning, span: tuple[int, int], found: Iterable[_Named]) -> bool:
    return any(
        named.mention.programs[0] in meaning.programs
        and meaning.confidence < named.mention.confidence
        and named.mention.span != span
        for named in found
    )


def _is_surer(named: _Named, before: _Named) -> bool:
    return before.is_member and (not named.is_member or named.mention.confidence > before.mention.confidence)


def _without_adjectives(named: Sequence[_Named]) -> list[_Named]:
    """Leave out the members of what is only "orchestral" where the text says itself who plays."""
    others = sum(one.mention.confidence >= _ADJECTIVE for one in named)
    return [one for one in named if others <= _FEW_OTHERS or one.mention.confidence >= _ADJECTIVE or not one.is_member]


def _family(text: str, mention: Mention) -> tuple[int, ...]:
    word = text[slice(*mention.span)].lower()
    return tuple(dict.fromkeys(mention.programs + family_programs().get(word, ())))


def _is_of_part(text: str, tokens: Sequence[Token], named: _Named, denied: Iterable[Match], sounds_kit: bool) -> bool:
    """Whether a denial is of less than the instrument: "no guitar solo", "drums without hi-hats", "not a big band song"."""
    mention = named.mention
    word = text[slice(*mention.span)].lower()
    if sounds_kit and mention.programs == (DRUMS,) and not word.startswith(_WHOLE_KITS):
        return True
    others = _PARTS_PLAYED | _PIECES if named.is_member else _PARTS_PLAYED
    return any(match.span == mention.span and _next_word(tokens, match) in others for match in denied)


def _next_word(tokens: Sequence[Token], match: Match) -> str:
    return tokens[match.last + 1].word if match.last + 1 < len(tokens) and tokens[match.last + 1].is_joined else ""


def _sparing(mention: Mention, spared: Mapping[int, str]) -> Mention | None:
    """An excluded mention without the programs that the text asks for under another name."""
    programs = tuple(p for p in mention.programs if spared.get(p, mention.name) == mention.name)
    return replace(mention, programs=programs) if programs else None


def _remaining(named: _Named, excluded: set[int]) -> Mention | None:
    """A wanted mention without the excluded programs."""
    mention = named.mention
    programs = tuple(program for program in mention.programs if program not in excluded)
    if not programs or (named.is_member and mention.programs[0] in excluded):
        return None
    return replace(mention, programs=programs, name=INSTRUMENTS[programs[0]])
