"""What a text says it does not want: "without drums", "no guitar or bass", "not sad", "drums are not used"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from amt_ray.text.clean import Token
from amt_ray.text.lexicon import Match

# After these "and" goes on with the list ("without drums and bass").
_LISTING_WORDS = (
    "without excluding except sans minus lacking lacks lack omit omits omitting avoid avoids avoiding exclude excludes "
    "skip skipping ditch remove removing eliminate ohne sin senza sem"
)
_DENIAL_WORDS = (
    "no not never non isn't aren't don't doesn't didn't can't cannot won't wasn't weren't hasn't haven't "
    "shouldn't wouldn't nor "
    "neither zero hate dislike kein keine keinen"
)
# These deny only what the article makes a thing at hand: "hold the brass", but not "hold drum rolls".
_WITH_ARTICLE_WORDS = "hold cut mute lose forget scrap kill drop drops"
_WITH_ARTICLE = frozenset(_WITH_ARTICLE_WORDS.split())
_PAIR_WORDS = (
    "leave out|leaves out|leaving out|left out|take out|leave off|free of|free from|lack of|absence of|"
    "devoid of|apart from|"
    "other than|aside from|rid of|everything but|all but|anything but|instrument but|instruments but|"
    "rather than|instead of|clear of|away with|omission of"
)
_PAIRS = frozenset(tuple(pair.split()) for pair in _PAIR_WORDS.split("|"))
_LISTING = frozenset(_LISTING_WORDS.split())
_DENIALS = _LISTING | frozenset(_DENIAL_WORDS.split())
_FILLERS_WORDS = (
    "a an the any all of for to want need needs needed include includes including add use uses using have has hear "
    "feature features featuring contain contains require requires be been played play with much more very too so as "
    "that quite really particularly overly extremely loud heavy audible additional other big live real strong "
    "prominent driving noisy fan discernible noticeable obvious apparent actual proper conventional "
    "traditional accompanying usual typical standard"
)
_FILLERS = frozenset(_FILLERS_WORDS.split())
_ARTICLES = frozenset({"the", "any", "all", "that", "those"})
_MAX_FILLERS = 5
_LONGEST_LIST = 8
_HEADING = ":"
# "never without the bass", "don't leave out the bass", "no instruments except piano": wanted after all.
_UNDOING_WORDS = "never not don't doesn't can't cannot won't no nothing none nobody"
_UNDOING = frozenset(_UNDOING_WORDS.split())
_UNDO_REACH = 3
_ASKING = frozenset({"why", "or"})
_OR, _AND = frozenset({"or", "nor"}), frozenset({"and", "or", "nor"})
_SENTENCE_ENDS = frozenset(".;:!?\n")
_ONLY_AFTER = frozenset({"only", "alone", "instead", "please"})

_ADVERB = r"(?:completely|entirely|all|totally|deliberately|simply|always|to be|just)"
_GONE = (
    r"(?:not|never)[ ](?:be[ ])?(?:used|present|included|needed|wanted|allowed|necessary|required|welcome|"
    r"heard|involved|featured|played|"
    r"playing|there|part)|absent|missing|omitted|excluded|left out|removed|silent|banned|forbidden|"
    r"unwanted|avoided|tacet|nowhere"
)
_DENIED_AFTER = re.compile(
    rf"[-‐](?:free|less)\b|[ ](?:is|are|was|were|should be|must be|has been|have been|stays?|remains?|do|"
    rf"does|being)[ ](?:{_ADVERB}[ ])?"
    rf"(?:{_GONE}|not[ ](?:play|appear|feature))\b|[ ](?:isn['’]t|aren['’]t|don['’]t|doesn['’]t|"
    rf"never)[ ](?:{_ADVERB}[ ])?"
    r"(?:used|present|included|needed|wanted|allowed|play|plays|appear|appears|feature)\b"
    r"|[ ]?[:=][ ]?(?:none|no|off)\b(?=[ ]*(?:[,.;)\n]|$))|[ ](?:drops?|dropped|dropping|sits?|"
    r"sat)[ ]out\b|,?[ ](?:tacet|excluded|omitted|excepted)\b",
    re.IGNORECASE,
)
_LIST_OF_DENIED = re.compile(r"(?<!\w)(?:exclud(?:e|ed|ing)|without|avoid|omit|no|not wanted)[ ]?:\s*$", re.IGNORECASE)
_KEPT_OUT = re.compile(r"\b(?:keep|leave|take|cut|fade) (?:the |any |all )?$", re.IGNORECASE)
_OUT = re.compile(r"[ ]out\b", re.IGNORECASE)
_BEFORE_REACH = 16
# Only for a while: "no drums until the chorus", "the piano drops out in the bridge".
_FOR_A_WHILE = re.compile(
    r",?[ ](?:until|till|before|yet|at (?:first|the (?:start|beginning|outset|end))|(?:in|for|during|"
    r"of) the |then |and (?:then|returns?)|"
    r"halfway|after|when|while|midway|briefly|for (?:a|the|one|two|four|eight|\d+) )",
    re.IGNORECASE,
)
_AFTER_REACH = 48


def denied_matches(text: str, tokens: Sequence[Token], matches: Sequence[Match]) -> frozenset[Match]:
    """Return those of the matches (in the text's order) that the text denies. Linear time."""
    links = [_link(text, tokens, one, other) for one, other in pairwise(matches)] + [""]
    denied: dict[Match, str] = {}
    for i, match in enumerate(matches):
        denial = "-less" if match.is_denied else _denial_before(tokens, match.first) or _heading_before(text, match)
        if denial and _FOR_A_WHILE.match(text, match.span[1]):
            continue
        if not denial and i and matches[i - 1] in denied and _goes_on(tokens, matches, links, i - 1, denied[matches[i - 1]]):
            denial = denied[matches[i - 1]]
        if not denial and _is_denied_after(text, match):
            denial = "after"
            denied.update((earlier, "after") for earlier in _linked_before(matches, links, i, denied))
        if denial:
            denied[match] = denial
    return frozenset(denied)


def _denial_before(tokens: Sequence[Token], first: int) -> str:
    """The word before a term that denies it, past fillers; "" where there is none."""
    has_article = False
    for i in range(first - 1, max(-1, first - 2 - _MAX_FILLERS), -1):
        if not tokens[i + 1].is_joined:
            return ""
        word = tokens[i].word
        if i > 0 and (tokens[i - 1].word, word) in _PAIRS and tokens[i].is_joined:
            return "" if _is_undone(tokens, i - 1) else "without"
        if word in _DENIALS or (word in _WITH_ARTICLE and has_article):
            is_undone = word not in {"no", "nor", "neither"} and _is_undone(tokens, i)
            return "" if is_undone else word
        if word not in _FILLERS:
            return ""
        has_article = has_article or word in _ARTICLES
    return ""


def _heading_before(text: str, match: Match) -> str:
    """Find "exclude: drums, bass"."""
    return _HEADING if _LIST_OF_DENIED.search(text[max(0, match.span[0] - _BEFORE_REACH) : match.span[0]]) else ""


def _is_undone(tokens: Sequence[Token], at: int) -> bool:
    """Whether another denial, or a question, stands before one: "never without", "why not"."""
    if tokens[at].word in {"not", "don't"}:
        return at > 0 and tokens[at - 1].word in _ASKING and tokens[at].is_joined
    for i in range(at - 1, max(-1, at - 1 - _UNDO_REACH), -1):
        if not tokens[i + 1].is_joined:
            return False
        if tokens[i].word in _UNDOING:
            return True
    return False


def _is_denied_after(text: str, match: Match) -> bool:
    start, end = match.span
    m = _DENIED_AFTER.match(text, end, end + _AFTER_REACH)
    if m is None and (m := _OUT.match(text, end)) and not _KEPT_OUT.search(text[max(0, start - _BEFORE_REACH) : start]):
        return False
    return m is not None and not _FOR_A_WHILE.match(text, m.end())


def _link(text: str, tokens: Sequence[Token], one: Match, other: Match) -> str:
    """How a list goes on from one term to the next: "or", "and", "bare and" (before a plain noun), "," or "/"; "" if not."""
    words = [token.word for token in tokens[one.last + 1 : other.first]]
    gap = text[one.span[1] : other.span[0]]
    if not set(words) <= _AND | _FILLERS or not _SENTENCE_ENDS.isdisjoint(gap):
        return ""
    # "without brass, andante" goes on with something else.
    if {meaning.kind for meaning in one.meanings}.isdisjoint(meaning.kind for meaning in other.meanings):
        return ""
    if not _OR.isdisjoint(words):
        return "or"
    if "and" in words:
        return "bare and" if words == ["and"] and "," not in gap else "and"
    if words and not set(words) <= _ARTICLES | {"a", "an"}:
        return ""
    return "," if "," in gap else "/" if gap.strip() == "/" else ""


def _goes_on(tokens: Sequence[Token], matches: Sequence[Match], links: Sequence[str], at: int, denial: str) -> bool:
    """Whether a denial of one term holds for the next in the list; a comma goes on where the list ends with "or"."""
    link = links[at]
    if link in {"or", "/"} or (link and denial == _HEADING):
        return True
    if link == "bare and" and (denial in _LISTING or denial == "no"):
        after = matches[at + 1].last + 1
        return denial in _LISTING or after >= len(tokens) or tokens[after].word not in _ONLY_AFTER
    if link == "and":
        return denial in _LISTING
    end = at
    while links[end] == "," and end - at < _LONGEST_LIST:
        end += 1
    return end > at and (links[end] == "or" or (denial in _LISTING and links[end] in {"and", "bare and"}))


def _linked_before(matches: Sequence[Match], links: Sequence[str], at: int, denied: dict[Match, str]) -> Iterator[Match]:
    """Find "drums and bass" in "drums and bass are not used"."""
    while at > 0 and links[at - 1] in {"and", "bare and", "or"} and matches[at - 1] not in denied:
        at -= 1
        yield matches[at]
