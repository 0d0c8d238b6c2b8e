"""What a song may be called, read out of a title that people wrote: without noise, movements and sources, in proper case.

"01 - dancing_queen (karaoke version).mid" is "Dancing Queen"; "Carmen: Habanera" is the Habanera, or else Carmen.
"""

from __future__ import annotations

import functools
import re

from amt_ray.wiki.names import artist_names, fold
from amt_ray.wiki.page import Song
from amt_ray.wiki.works import is_bare_form, name_of_work, parse_work, standard_spelling

MAX_TITLE_CHARACTERS = 255
"""What is longer is no title; MediaWiki's limit in bytes."""

_TYPOGRAPHY = str.maketrans("’‘´`“”„_—–", "''''\"\"\" --")
_EXTENSION = re.compile(r"\.(?:midi?|kar|smf|mp3|rmi)$", re.IGNORECASE)
_TRACK_NUMBER = re.compile(r"^(?:track |n[o°º]\.? ?)?[0-9]{1,3}(?:[.)]| ?-) +(?=\S)", re.IGNORECASE)
_SCHOLARS_NUMBER = re.compile(r"(?:,| \(| \[)\s*(?:[A-Z]{1,3}|[A-Z]{1,3}WV|Gimo)\.? ?[0-9]+[a-z]?[)\]]?$")
"""Of a catalogue that has no articles: "The Violets Blue, H.69"."""
_NOISE = (
    r"(?:acoustic|arr(?:\.|anged|angement)|as made famous by|backing track|bonus track|demo|edit|ext(?:\.|ended)|"
    r"feat(?:\.|uring)|ft\.?|in the style of|instrumental|karaoke|live|medley|midi|mix|mono|re-?master(?:ed)?|re-?mix|"
    r"re-?recorded|stereo|transcription|transposed|unplugged|version)"
)
_BRACKET_NOISE = (
    rf"(?:{_NOISE}|clean|cover|duet|easy|explicit|full|hq|lyrics?|official|original|piano|radio|short|studio|synth|tribute|"
    r"video|with)"
)
_NOISY_BRACKET = re.compile(rf" *[(\[](?:[^()\[\]]*\b)?{_BRACKET_NOISE}(?!\w)[^()\[\]]*[)\]]", re.IGNORECASE)
_NOISY_END = re.compile(
    rf" +[-|~] +(?:[\w' .]*\b)?{_NOISE}(?: (?:[0-9]{{4}}|at|by|edit|for|from|in|mix|on|version)\b[^-]*)?$", re.IGNORECASE
)
_NOISY_LAST_WORDS = re.compile(
    r"[ -]+(?:karaoke(?: version)?|midi(?: file)?|gm|xg|re-?mix|remastered(?: [0-9]{4})?|(?:feat|ft)\b\.? .*|featuring .*|"
    r"(?:album|extended|instrumental|live|piano|radio|single) (?:edit|mix|version)|v[0-9]+|ver\.? ?[0-9]+|"
    r"[(\[][0-9]{1,2}[)\]])$",
    re.IGNORECASE,
)
_MOVEMENT = re.compile(
    r"(?:[ ,;:(\[-]+(?:(?:[0-9]+(?:st|nd|rd|th)?|[ivx]+|first|second|third|fourth|fifth|last)\.? )?"
    r"(?:mvts?|mvmt|mov(?:t|ement)?|mv|satz)\b\.?(?: ?[0-9ivx]+\b)?(?:[ .:,-].*)?[)\]]?"
    r"| +- +[0-9]{1,3}|[:,-] *(?:[0-9]|[ivx]{1,4})\. .*)$",
    re.IGNORECASE,
)
_TEMPI = r"(?:adagi\w+|allegr\w+|andant\w+|grave|larg[oh]\w*|lento|moderato|prest\w+|vivace)"
_TEMPO = re.compile(rf"(?:[ivx0-9]+\.? ?)?(?:{_TEMPI}|finale?|minuet\w*|menuet\w*|rondo|scherzo|trio)\b", re.IGNORECASE)
_ONLY_TEMPO = re.compile(rf"{_TEMPI}(?: (?:{_TEMPI}|[ivx0-9]+|assai|brio|con|e|ma|molto|moto|non|poco|sostenuto|troppo))*")
_NUMBERED_TAIL = re.compile(
    r"(?:[ ,:(-]+(?:parts?|pt)\b\.? ?(?:[0-9]+|[ivx]+|one|two|three)\b|, [^\W\d_]+ (?:[0-9]+|[IVX]+)\b|(?:: |^)[Nn]o\. ).*$",
    re.IGNORECASE,
)
"""What numbers a piece within a whole: ", Part 2", ", Contrapunctus X", ": No. 5"."""
_BRACKET = re.compile(r" *[(\[]([^()\[\]]*)[)\]] *")
_NICKNAME = re.compile(r"\"([^\"]{4,})\"|[(\[]([^()\[\]]{4,})[)\]]")
_INVERTED_ARTICLE = re.compile(r"(?P<title>[^,]+), (?P<article>the|a|an|la|le|les|der|die|das|el|il)", re.IGNORECASE)
_WITHOUT_APOSTROPHE = re.compile(
    r"\b(?:(ca|do|wo|ai|is|are|did|does|could|should|would|was|were|has|have|had)n?(?<=n)(t)|(i)(m)|(i|you|we|they)(ve)|"
    r"(you|they)(re)|(that|what|there)(s))\b",
    re.IGNORECASE,
)
_SMALL_WORDS = "a an and as at but by de del der des du e en et for im in la le nor of on or the to und van von y"
_SURELY_SMALL_WORDS = "a an and as de del der des du en et for la le les of or the to und"
_SMALL, _SURELY_SMALL = frozenset(_SMALL_WORDS.split()), frozenset(_SURELY_SMALL_WORDS.split())
_MAYBE_SMALL_WORDS = "down from in into like off on out over up upon with"
_ROMANCE_WORDS = "de del della des di du el et la le les un una une y"
_ROMANCE = frozenset(_ROMANCE_WORDS.split())
"""Words of languages whose titles have a capital at the beginning alone: "Clair de lune"."""
_MAYBE_SMALL = frozenset(_MAYBE_SMALL_WORDS.split())
"""Small as prepositions and not as adverbs: "Bridge over Troubled Water", "Come On Eileen"."""
_DROPPED_G = re.compile(r"\b([A-Za-z]{2,}(?:[b-df-hj-np-tv-z]|[aeo]y))in\b(?!')")


def attributed(song: Song) -> Song:
    """Return the song with the artist that its title begins with, "ABBA - Dancing Queen", moved to where it belongs."""
    before, dash, after = (part.strip() for part in _bare(song.title).partition(" - "))
    if not dash or not re.search(r"[^\W\d_]", before) or not re.search(r"[^\W\d_]", after):
        return song
    if fold(before) in {fold(song.artist), *map(fold, artist_names(song.artist))}:
        return Song(song.artist, after)
    if fold(song.artist) or parse_work(before).is_identified or re.fullmatch(_NOISE, after, re.IGNORECASE):
        return song
    return Song(before, after)


@functools.lru_cache(maxsize=4096)
def readings(title: str) -> tuple[str, ...]:
    """Return what the song may be called, likeliest first: without "(Live)", "- mvt 2", "from Carmen"; () for no name.

    Case is mended where the title is all lower or all upper, and numbers are written as Wikipedia writes them.
    """
    clean = _without_noise(_bare(title))
    if not fold(clean):
        return ()
    piece, movements = _without_movement(_with_name(clean))
    found = [piece, *_names_of_work(piece)] if parse_work(piece).is_identified else [*movements, *_parts(piece)]
    names = [reading for reading in found if name_of_work(reading) and not _ONLY_TEMPO.fullmatch(fold(reading))]
    return tuple(dict.fromkeys(standard_spelling(_cased(reading)) for reading in names or [piece]))


def respellings(written: str, reading: str) -> list[str]:
    """Return the other cases and spellings that a reading of the written title may have: "Over" and "over", "Stayin'"."""
    words = reading.split(" ")
    is_caseless = written == written.lower()
    found = [_DROPPED_G.sub(r"\1in'", reading)]
    if is_caseless or not any(word[:1].islower() for word in words):
        recased = [_capital(word) if is_caseless else word.lower() for word in words]
        is_doubtful = [0 < i < len(words) - 1 and word.lower() in _MAYBE_SMALL for i, word in enumerate(words)]
        found.append(" ".join(b if doubtful else a for a, b, doubtful in zip(words, recased, is_doubtful, strict=True)))
    found.append(reading[:1] + reading[1:].lower() if is_caseless else _capitalised(words, _SMALL | _MAYBE_SMALL))
    if any(word.lower() in _ROMANCE for word in words[1:]):
        found.insert(0, reading[:1] + reading[1:].lower())
    return [spelling for spelling in found if spelling != reading]


def without_brackets(reading: str) -> str:
    """Return the reading without what stands in brackets, or as it is if that is all or stands first."""
    outside = " ".join(_BRACKET.sub(" ", reading).split())
    return outside if fold(outside) and reading[0] not in "([" else reading


def _bare(title: str) -> str:
    """The title with plain punctuation, without the file's extension, "Entertainer, The" turned round."""
    spaced = " ".join(title.translate(_TYPOGRAPHY).split())[:MAX_TITLE_CHARACTERS]
    text = re.sub(r"\b([Mm]rs?|[Dd]r)(?= [A-Z])", r"\1.", _EXTENSION.sub("", spaced))
    if "'" not in text:
        text = _WITHOUT_APOSTROPHE.sub(_with_apostrophe, text)
    inverted = _INVERTED_ARTICLE.fullmatch(text)
    return f"{inverted['article']} {inverted['title']}" if inverted else text


def _with_apostrophe(found: re.Match[str]) -> str:
    return f"{found[0][: -len(found[found.lastindex or 0])]}'{found[found.lastindex or 0]}"


def _without_noise(title: str) -> str:
    text = _TRACK_NUMBER.sub("", title)
    text = re.sub(r"(?<=[^\W\d_]{3})\.$", "", text)
    for noise in (_NOISY_BRACKET, _NOISY_END, _NOISY_LAST_WORDS, _NOISY_LAST_WORDS):
        shorter = noise.sub("", text).strip(" -,;")
        text = shorter if fold(shorter) else text
    return text


def _with_name(title: str) -> str:
    """The title, or the work that a piece without a name is from: "Prelude from Cello Suite No. 1"."""
    piece, _, whole = title.partition(" from ")
    return whole if whole and is_bare_form(piece) else title


def _without_movement(title: str) -> tuple[str, list[str]]:
    """The piece without its movement; and the movement's name, if it has one and the piece is not a numbered work."""
    found = _MOVEMENT.search(title)
    piece = title[: found.start()].strip(" ,;:-") if found else title
    if found is None or len(fold(piece)) < 3:
        piece, found = title, None
    if parse_work(piece).is_identified:
        work, colon, movement = piece.partition(":")
        return (work if colon and _TEMPO.match(movement.strip()) else piece), []
    name = re.sub(r"^[^\w]*(?:[0-9]+|[ivxIVX]+)\.\s*", "", found[0]).strip(" ,;:-)]") if found else ""
    return piece, [name] if re.search(r"[a-z]{4}", name) and not _MOVEMENT.match(f" {name}") else []


def _names_of_work(title: str) -> list[str]:
    """What a numbered work is called beside its number: "Trout Quintet", the "Moonlight" of a sonata."""
    name = name_of_work(title)
    nickname = _NICKNAME.search(name)
    bare = _NICKNAME.sub("", name).strip(" ,;:-")
    if not nickname:
        return [] if is_bare_form(bare) else [bare]
    called = nickname[1] or nickname[2]
    return [f"{called} {bare.split(' ')[-1]}" if is_bare_form(bare) and " " not in called else called]


def _parts(title: str) -> list[str]:
    """The title and shorter readings: after or before a colon, without or within brackets, before " from " or a number."""
    title = _SCHOLARS_NUMBER.sub("", title)
    found = [title]
    before, colon, after = title.partition(": ")
    if bracket := _BRACKET.search(title):
        outside = " ".join(_BRACKET.sub(" ", title).split())
        is_word = len(re.findall(r"[^\W\d_]{2,}", bracket[1])) < 2
        found = [outside, title] if is_word and fold(outside) else [title, outside, bracket[1]]
    elif colon and not _NUMBERED_TAIL.match(after):
        found = [after, before, title]
    shorter = [re.split(" - | from (?=[^a-z]|[a-z]{4})", found[0])[0], _NUMBERED_TAIL.sub("", found[0])]
    return list(dict.fromkeys([*found, *shorter]))


def _cased(title: str) -> str:
    """The title in Wikipedia's case, where it is written without one or with every word capitalised."""
    title = title.strip(" ,;:-")
    words = title.split(" ")
    if title == title.lower() or (title == title.upper() and len(words) > 1):
        return _capitalised([word.lower() for word in words], _SMALL | {"with", "from"})
    if not any(word[:1].islower() for word in words):
        return _capitalised([word.lower() if word.lower() in _SURELY_SMALL else word for word in words], _SURELY_SMALL)
    return title[:1].upper() + title[1:]


def _capitalised(words: list[str], small: frozenset[str]) -> str:
    inner = range(1, len(words) - 1)
    return " ".join(word if i in inner and word in small else _capital(word) for i, word in enumerate(words))


def _capital(word: str) -> str:
    if re.fullmatch(r"(?:ii|iii|iv|vi|vii|viii|ix|xii)[.,:)]?", word):
        return word.upper()
    return re.sub(r"^(\W*)(\w)", lambda m: m[1] + m[2].upper(), word)
