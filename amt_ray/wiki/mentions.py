"""Whether an article's lead names an artist: in full, by last name only, or another of that last name.

"Bach" may be Johann Sebastian or Carl Philipp Emanuel: the given names before it decide. One-word names such as Europe and
Queen are other words as well: they count where a sentence credits them, "by the band Europe", and not in "across Europe".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from rapidfuzz.fuzz import ratio

from amt_ray.wiki.leads import first_sentence
from amt_ray.wiki.names import PARTICLES, fold, last_name, plain

FIRST, LATER, LAST_NAME, NAMESAKE = 1.0, 0.92, 0.85, -1.0
"""Named in the first sentence; further on; by the bare last name; another bearer of the last name is named instead."""

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_NO_GIVEN_NAMES_WORDS = (
    "a after an and as at both by composer dame for from if in it its lord of on or saint sir the though when while with"
)
_NO_GIVEN_NAMES = frozenset(_NO_GIVEN_NAMES_WORDS.split())
_CREDITS = re.compile(
    r"\b(?:band|by|composers?|covered|covers?|duo|feat|featuring|group|hits?|musicians?|pianist|producers?|project|"
    r"rappers?|recorded|recordings?|singers?|singles?|songs?|songwriters?|supergroup|trio|versions?)\b"
)
_DEED_WORDS = (
    "brought covered did gave had made performed played popularised popularized recorded released sampled sang scored sings "
    "took turned used wrote"
)
_DEEDS = frozenset(_DEED_WORDS.split())
_NOT_BEFORE_ARTIST_WORDS = "about across around at in into near on outside through throughout to toward within"
_NOT_BEFORE_ARTISTS = frozenset(_NOT_BEFORE_ARTIST_WORDS.split())
_SENTENCE = re.compile(r"(?<=[a-z0-9)][.!?])\s+(?=[A-Z])")
_IN_PASSING = re.compile(
    r"\b(?:biograph\w+|compared|named after|not to be confused|parod\w+|same (?:poems?|texts?|verses?|words?)|"
    r"sets? (?:it|the|this)|settings?|tribute|unrelated)\b"
)
"""A sentence with one of these says that others had to do with the matter, not with this piece."""
_ALIKE = 60.0
"""Of 100; given names so alike are one in two languages: Frédéric and Fryderyk, Peter and Pyotr."""


@functools.lru_cache(maxsize=65536)
def named_in_lead(name: str, title: str, lead: str) -> float:
    """Return how the lead of the article of this title names somebody: one of the four values above, or 0 for not at all.

    Titles in quotation marks do not count, nor does the article's own: "Dancing Queen" does not name Queen.
    """
    whole = re.sub(r"^the ", "", fold(name))
    if fold(title) == whole:
        title = ""  # of a band's song that bears its own name, only the quotation marks tell which of them is meant
    first = _without_titles(first_sentence(lead), title)
    text = " ".join([first, *_other_sentences(lead, title)])
    if " " not in whole:
        return _credited(whole, first, text)
    for value, part in ((FIRST, first), (LATER, text)):
        if f" {whole} " in f" {_folded(part)} ":
            return value
    bearers = set(_bearers(name, text))
    return next((value for value in (LATER, NAMESAKE, LAST_NAME) if value in bearers), 0.0)


def _without_titles(text: str, title: str) -> str:
    unquoted = re.sub(r'"[^"]*"', " ", text)
    return unquoted.replace(title, " ") if title else unquoted


def _other_sentences(lead: str, title: str) -> list[str]:
    """The sentences after the first that do not mention somebody in passing."""
    rest = plain(lead).strip()[len(first_sentence(lead)) :]
    return [
        _without_titles(sentence, title) for sentence in _SENTENCE.split(rest) if not _IN_PASSING.search(sentence.lower())
    ]


def _folded(text: str) -> str:
    return fold(re.sub(r"'s\b", "", text))


def _credited(name: str, first: str, text: str) -> float:
    for value, part in ((FIRST, first), (LATER, text)):
        for sentence in _SENTENCE.split(part):
            words = list(_WORD.finditer(sentence))
            if any(_is_credit(name, words, i, sentence) for i in range(len(words))):
                return value
    return 0.0


def _is_credit(name: str, words: list[re.Match[str]], i: int, sentence: str) -> bool:
    word = words[i][0]
    if fold(word.removesuffix("'s")) != name or word.islower() or _is_followed_by_a_name(words, i, sentence):
        return False
    if i == 0:
        return len(words) > 1 and words[1][0] in _DEEDS
    if words[i - 1][0].lower() in ("a", "an"):
        return False
    # "in the United States and Europe" is a place, whatever stands last; "in 1965, and Muse" is not
    before = (w[0] for w in reversed(words[:i]) if w[0][0].isdigit() or (w[0].islower() and w[0] not in ("and", "the")))
    link = next(before, "")
    if link in ("from", "of"):
        return bool(_CREDITS.search(sentence[: words[i].start()].lower()))
    return link not in _NOT_BEFORE_ARTISTS


def _is_followed_by_a_name(words: list[re.Match[str]], i: int, sentence: str) -> bool:
    if i + 1 == len(words) or words[i][0].endswith("'s"):
        return False
    return sentence[words[i].end() : words[i + 1].start()] == " " and words[i + 1][0][0].isupper()


def _bearers(name: str, text: str) -> Iterator[float]:
    """For each time that the last name stands in the text, who bears it."""
    last = fold(last_name(name)).rpartition(" ")[2]
    given = [fold(word) for word in name.split()[:-1] if word.lower() not in PARTICLES and fold(word) != last]
    words = list(_WORD.finditer(text))
    for i, word in enumerate(words):
        if (
            not last
            or fold(word[0].removesuffix("'s")) != last
            or word[0].islower()
            or _is_followed_by_a_name(words, i, text)
        ):
            continue
        others = _given_names(words, i, text)
        yield LAST_NAME if not others else (LATER if _are_one(given, others) else NAMESAKE)


def _given_names(words: list[re.Match[str]], i: int, text: str) -> list[str]:
    """The capitalised words directly before the i-th, without "van" and "de"."""
    found: list[str] = []
    for before, after in zip(words[i - 1 :: -1] if i else [], words[i:0:-1], strict=True):
        gap, word = text[before.end() : after.start()], before[0]
        if gap.strip(" .-") or ("." in gap and len(word) > 1):
            break
        if word.lower() in _NO_GIVEN_NAMES or not (word[0].isupper() or word in PARTICLES):
            break
        if word not in PARTICLES:
            found.insert(0, fold(word))
    return found


def _are_one(given: list[str], others: list[str]) -> bool:
    shorter, longer = sorted((given, others), key=len)
    return all(any(_is_like(name, other) for other in longer) for name in shorter)


def _is_like(name: str, other: str) -> bool:
    if len(name) == 1 or len(other) == 1:
        return name[:1] == other[:1]
    return ratio(name, other) >= _ALIKE
