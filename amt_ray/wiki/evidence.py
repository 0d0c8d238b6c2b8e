"""What speaks for a page being a song's article: its title, what it is about, and whom it names. Each 0..1.

While a page's extract is None only its title and qualifier speak, and what they do not say is taken as possible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from amt_ray.wiki.leads import first_sentence, speaks_of_music, subject_of, subject_of_noun
from amt_ray.wiki.mentions import FIRST, named_in_lead
from amt_ray.wiki.names import artist_names, fold, is_unnamed, last_name, plain
from amt_ray.wiki.page import Page, Song
from amt_ray.wiki.readings import attributed, readings
from amt_ray.wiki.works import Work, agreement, conflict, parse_work

_QUALIFIED = re.compile(r"(?P<base>.*\S) \((?P<qualifier>[^()]*)\)")
_DESCRIPTIONS = (
    "a and australian american barbershop big band blues british children christian christmas country dance disney "
    "easter english eurovision film folk french gaelic german gospel hawaiian hebrew hymn in irish italian japanese "
    "jazz latin military musical national new nursery old patriotic piano political pop popular rock russian scottish "
    "sea spanish swedish theme the traditional tv ukrainian war welsh"
)
_DESCRIBING = frozenset(_DESCRIPTIONS.split())
_ARTICLE = re.compile(r"(?:the|an?|la|le|les|l|der|die|das|el|los|las|il|lo|gli) (?=\S)")
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_AND = re.compile(r"\s*(?:,|\s(?:&|and|feat\.|featuring|with)\s)\s*")
_AUTHORLESS = re.compile(
    r"\b(?:16th|17th|18th|anonymous|anthem|ballad|carol|children's|folk|hymn|lullaby|medieval|nursery|shanty|spiritual|"
    r"traditional|unknown (?:author|composer|origin))\b"
)


@dataclass(frozen=True)
class Evidence:
    """How well a page fits a song in three respects, each 0..1."""

    title: float
    """1 for the song's title or number, by whatever redirect; less for a later reading, a misspelling, the article of the
    set; 0 for another name or number."""
    subject: float
    """1 for a work of music, by qualifier or first sentence; 0.9 to 0.3 where they do not say; 0.5 for a musical; 0 for
    anything else, lists of meanings included."""
    artist: float
    """1 if the qualifier or the first sentence names the artist, 0.92 if the lead does so later, 0.85 for a bare last name;
    0.45 for silence; 0.15 if another is named instead. Unread pages: 0.7, or 0.5 if the qualifier names another."""


def evidence(song: Song, page: Page) -> Evidence:
    """Return what speaks for the page being the song's article; 0 for a title that is another's, as Symphony No. 6's."""
    song = attributed(song)
    return Evidence(_title(song, page), _subject(page), _artist(song, page))


def split_title(title: str) -> tuple[str, str]:
    """Return a page's title and its qualifier: "Waterloo" and "ABBA song"; the qualifier is "" if there is none."""
    found = _QUALIFIED.fullmatch(title)
    if not found:
        return title, ""
    words = found["qualifier"].split()
    is_name = len(words) <= 4 and all(word[:1].isupper() or word in ("&", "and", "d'", "de", "van", "von") for word in words)
    return (found["base"], found["qualifier"]) if words and (is_name or words[-1][:1].islower()) else (title, "")


def same_name(name: str, other: str) -> float:
    """Return how surely two names are one, 0..1, whatever their case, marks, articles and small misspellings."""
    first, second = (_in_figures(_ARTICLE.sub("", fold(text), count=1)) for text in (name, other))
    if not first or not second:
        return 0.0
    if first == second:
        return 1.0
    if first.replace(" ", "") == second.replace(" ", ""):
        return 0.98
    if _figures(first) != _figures(second):
        return 0.0
    if sorted(first.split()) == sorted(second.split()):
        return 0.9
    distance = OSA.distance(first, second)
    return 0.97 - 0.04 * distance if distance <= max(len(first), len(second)) // 8 else 0.0


def _title(song: Song, page: Page) -> float:
    called = readings(song.title)
    if not called:
        return 0.0
    asked = parse_work(called[0])
    lead = parse_work(first_sentence(page.extract)) if page.extract else Work()
    is_whole = not page.fragment
    titles = [page.title, *(page.redirected_from if is_whole else ())]
    scores = [_title_score(called, asked, title, lead) for title in titles]
    own = parse_work(page.title).completed_by(lead)
    is_known_by_catalogue = any(agreement(asked, parse_work(title)) == 1.0 for title in titles[1:])
    return 0.0 if conflict(asked, own) and not is_known_by_catalogue else max(scores)


def _title_score(called: tuple[str, ...], asked: Work, title: str, lead: Work) -> float:
    base, _ = split_title(title)
    if conflict(asked, parse_work(base)):
        return 0.0
    names = (base, title, re.sub(r" \([^()]*\)$|^\([^()]*\) ", "", base))
    by_name = max(same_name(reading, name) * 0.97**i for i, reading in enumerate(called) for name in names)
    by_number = agreement(asked, parse_work(base).completed_by(lead)) if asked.is_identified else None
    # a name without a form may be that of one song of the numbered cycle
    return by_name if by_number is None else max(by_name, by_number * (1.0 if asked.form else 0.85))


def _in_figures(folded: str) -> str:
    return " ".join(_ROMAN.get(word, word) for word in folded.split())


def _figures(folded: str) -> list[str]:
    return sorted(word for word in folded.split() if word[0].isdigit())


def _subject(page: Page) -> float:
    base, qualifier = split_title(page.title)
    is_list = bool(re.match(r"List of |.* discography$", page.title))
    in_lead = subject_of(page.extract) if page.extract else "unknown"
    if page.is_disambiguation or is_list or in_lead == "disambiguation":
        return 0.0
    kind = subject_of_noun(_kind(qualifier))
    if kind == "work":
        return 1.0
    if kind in ("artist", "other"):
        return 0.0
    doubt = 0.8 if _kind(qualifier) else 1.0
    if page.extract is None:
        return 0.7 * doubt
    work = parse_work(base)
    if work.form and work.is_identified:
        return doubt
    unknown = 0.9 if work.form else (0.7 if speaks_of_music(page.extract) else 0.3)
    return {"work": 1.0, "stage": 0.5, "unknown": unknown}.get(in_lead, 0.0) * doubt


def _kind(qualifier: str) -> str:
    """What a qualifier says of the page's kind: "song" of "ABBA song"; "" if it only names somebody or a year."""
    words = qualifier.split()
    return " ".join(word for word in words if word.islower()) if words and words[-1].islower() else ""


def _artist(song: Song, page: Page) -> float:
    names = artist_names(song.artist)
    if not names:
        return _authorless(song, page)
    in_qualifier = max(_named_in_qualifier(name, title) for name in names for title in (page.title, *page.redirected_from))
    if in_qualifier == 1.0:
        return 1.0
    is_anothers = in_qualifier == 0.0 and _names_another(page.title)
    base, qualifier = split_title(page.title)
    if page.extract is None:
        return 0.95 if in_qualifier else (0.5 if is_anothers else 0.7)
    in_lead = [named_in_lead(name, plain(base), page.extract) * (1.0 if i == 0 else 0.97) for i, name in enumerate(names)]
    if is_anothers and not _kind(qualifier) and max(in_lead) < FIRST:
        return 0.15  # "(Schubert)" is a composer, whose works nobody covers
    if in_qualifier and min(in_lead) >= 0:
        return max(0.9, *in_lead)
    if max(in_lead) > 0:
        return max(in_lead) * (0.95 if is_anothers else 1.0)
    return 0.15 if min(in_lead) < 0 or is_anothers else 0.45


def _authorless(song: Song, page: Page) -> float:
    """For an artist who is nobody: a page may be meant if it knows no author either, or if no other work has its name."""
    if page.extract is None:
        return 0.65
    first = first_sentence(page.extract)
    if is_unnamed(song.artist):
        return 0.95 if _AUTHORLESS.search(first.lower()) else (0.3 if re.search(r"\bby (?:\w+ ){0,4}[A-Z]", first) else 0.75)
    called = readings(song.title)
    base, qualifier = split_title(page.title)
    is_own = not qualifier and len(fold(base).split()) > 1 and any(same_name(reading, base) >= 0.98 for reading in called)
    return 0.7 if is_own or any(parse_work(reading).catalogue for reading in called[:1]) else 0.4


def _named_in_qualifier(name: str, title: str) -> float:
    """1 for the whole name, as in "Waterloo (ABBA song)"; 0.9 for a last name only; 0 for neither."""
    _, qualifier = split_title(title)
    kind = _kind(qualifier)
    whole = qualifier.removesuffix(f" {kind}") if kind else qualifier
    named = {_ARTICLE.sub("", fold(part)) for part in (whole, *_AND.split(whole))}
    if _ARTICLE.sub("", fold(name)) in named:
        return 1.0
    return 0.9 if not kind and fold(last_name(name)) in {*named, *fold(whole).split()} else 0.0


def _names_another(title: str) -> bool:
    """Tell whether a title's qualifier names someone, as "(Beethoven)" and "(ABBA song)" do and "(1977 song)" does not."""
    words = split_title(title)[1].split()
    return any(word[:1].isupper() and fold(word) not in _DESCRIBING for word in words)
