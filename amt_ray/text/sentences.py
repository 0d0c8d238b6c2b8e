"""A text as its sentences: prose of encyclopaedias, in scripts with and without capitals. Linear in the text's length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from amt_ray.text.clean import stop_words

_HEADING = re.compile(r"^[ \t]*(?P<level>={1,6})[^\n]*(?P=level)[ \t]*$", re.MULTILINE)
_BULLET = re.compile(r"\A[ \t]*(?:[*#•·–—-][*#]*|\d{1,3}[.)])[ \t]+(?=\S)")
_REFERENCE = re.compile(r"\[(?:\d{1,3}|[a-z]|(?:note|nb|n) \d{1,3}|citation needed|when\?|who\?)\](?=(\w?))")
# Within a title in quotes or within brackets no sentence ends: "Stop! Go" is a song (his second. or third).
_ENCLOSED = re.compile(r"\"[^\"]*\"|“[^”“]*”|\([^()]*\)")
_LONGEST_TITLE, _LONGEST_BRACKETS = 80, 300
_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？｡]+[」』”）]*)")
_LAST_WORD = re.compile(r"(?:[^\W_]\.)*[^\W_]{1,8}\Z")
_NEXT_WORD = re.compile(r"\s*[\"'“‘«(\[]*([^\W_]+)(\.?)")
_LONGEST_ABBREVIATION = 16

_BEFORE_NAMES = (
    "arr bros capt cf col dir dr ed feat fig ft gen lt messrs mme mr mrs ms mt perf prod prof rev sgt st trans vs"
)
_BEFORE_NAMES_OR_LAST = (
    "al aug approx anon bk btw ca cat cie co corp dec dept est etc feb fl hob inc jan jr jun jul ltd mar mvt no nos nov "
    "oct op opp orch pp rec rpt sep sept sr supp vol vols"
)
_NEVER_LAST = frozenset(_BEFORE_NAMES.split())
_SELDOM_LAST = frozenset(_BEFORE_NAMES_OR_LAST.split())


def split_sentences(text: str) -> list[str]:
    """Return a text's sentences in order, without the spaces around them; empty for a text without any.

    A newline always ends a sentence. Headings ("== Music ==") are left out, and so are bullets and reference marks ("[1]").
    A full stop ends no sentence within brackets or a title in quotes, before a small letter, and after an abbreviation
    or initial ("Op. 9", "J. S. Bach") unless a word follows that seldom goes on ("in E. The"). Chinese and
    Japanese full stops need no space after them.
    """
    lines = _HEADING.sub("", text).splitlines()
    return [sentence for line in lines for sentence in _line_sentences(_BULLET.sub("", _unreferenced(line), count=1))]


def _unreferenced(line: str) -> str:
    return _REFERENCE.sub(lambda match: " " if match[1] else "", line)


def _line_sentences(line: str) -> Iterator[str]:
    enclosed = _ENCLOSED.finditer(line)
    around = next(enclosed, None)
    start = 0
    for match in _END.finditer(line):
        while around and around.end() < match.end():
            around = next(enclosed, None)
        if not _is_inside(match, around) and _ends_sentence(line, match):
            if sentence := line[start : match.end()].strip():
                yield sentence
            start = match.end()
    if rest := line[start:].strip():
        yield rest


def _is_inside(end: re.Match[str], around: re.Match[str] | None) -> bool:
    if around is None or end.start() <= around.start() or around.end() <= end.end():
        return False
    return around.end() - around.start() <= (_LONGEST_BRACKETS if around.group()[0] == "(" else _LONGEST_TITLE)


def _ends_sentence(line: str, end: re.Match[str]) -> bool:
    following = _NEXT_WORD.match(line, end.end())
    if following is None:
        return True
    word = following[1]
    if word[0].islower():
        return False
    if end.group() != ".":
        return True
    before = _LAST_WORD.search(line[max(0, end.start() - _LONGEST_ABBREVIATION) : end.start()])
    last = before.group().lower() if before else ""
    if last in _NEVER_LAST:
        return False
    is_abbreviated = last in _SELDOM_LAST or "." in last or (len(last) == 1 and last.isalpha() and last.isascii())
    return not is_abbreviated or (word.lower() in stop_words() and not (len(word) == 1 and following[2]))
