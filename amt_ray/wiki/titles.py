"""Titles that English Wikipedia would give to a song's article, and queries for its search.

https://en.wikipedia.org/wiki/Wikipedia:Naming_conventions_(music): "Waterloo (ABBA song)", "Symphony No. 5 (Beethoven)".
Titles are case-sensitive after the first letter. Asking costs a fiftieth of a request a title, searching a whole one.
"""

from __future__ import annotations

import functools
import re

from amt_ray.wiki.names import artist_names, fold, is_unnamed, last_name
from amt_ray.wiki.page import Song
from amt_ray.wiki.works import Work, is_bare_form, name_of_work, parse_work, standard_spelling, work_titles

MAX_TITLES = 6
"""That are asked for a song; most get three or four."""

_TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "_": " ", "—": "-"})
_EXTENSION = re.compile(r"\.(?:midi?|kar|smf|mp3|rmi)$", re.IGNORECASE)
_TRACK_NUMBER = re.compile(r"^(?:track )?[0-9]{1,3}(?:[.)]| ?-) +(?=\S)", re.IGNORECASE)
_NOISE = (
    r"(?:acoustic|album version|arr(?:\.|anged|angement)|as made famous by|backing track|bonus track|clean|cover|demo|duet|easy|"
    r"edit|explicit|ext(?:\.|ended)|feat(?:\.|uring)|ft\.?|full|hq|in the style of|instrumental|karaoke|live|lyrics?|medley|midi|"
    r"mix|mono|official|original|piano|radio|re-?master(?:ed)?|re-?mix|re-?recorded|short|single version|stereo|studio|synth|"
    r"transcription|transposed|tribute|unplugged|version|video|with lyrics|w/)"
)

_NOISY_BRACKET = re.compile(rf" *[(\[](?:[^()\[\]]*\b)?{_NOISE}(?!\w)[^()\[\]]*[)\]]", re.IGNORECASE)
_NOISY_END = re.compile(rf"(?: +[-–|~] +(?:[\w' .]*\b)?{_NOISE}(?!\w)[^-–]*)+$", re.IGNORECASE)
_NOISY_LAST_WORDS = re.compile(
    r"(?:[ -]+(?:karaoke(?: version)?|midi(?: file)?|gm|xg|(?:radio|album|single|live|piano|extended|instrumental) (?:edit|version|mix)|"
    r"re-?mix|remastered(?: [0-9]{4})?|(?:feat|ft)\b\.? .*|featuring .*|v[0-9]+|ver\.? ?[0-9]+|\([0-9]{1,2}\)|\[[0-9]{1,2}\]))+$",
    re.IGNORECASE,
)
_MOVEMENT = re.compile(
    r"(?:[ ,;:(\[-]+(?:(?:(?:[0-9]+(?:st|nd|rd|th)?|[ivx]+|first|second|third|fourth|fifth|last)\.? )?"
    r"(?:mvts?|mvmt|mov(?:t|ement)?|mv|satz)\b\.?(?: ?[0-9ivx]+\b)?)(?:[ .:,-].*)?[)\]]?| +[-–] +[0-9]{1,3}"
    r"|[:,-] *(?:[0-9]|[ivx]{1,4})\. .*)$",
    re.IGNORECASE,
)
_TEMPO_WORD = (
    r"(?:adagi\w+|allegr\w+|andant\w+|grave|larg\w+|lent[oe]\w*|moderato|prest\w+|vivace|con|brio|ma|non|molto|poco|e)"
)
_TEMPO = re.compile(
    rf"(?:[ivx0-9]+\.? ?)?(?:{_TEMPO_WORD}|finale?|minuet\w*|menuet\w*|scherzo|rondo|trio)\b.*", re.IGNORECASE
)
_PART_NUMBER = re.compile(r"[ ,:(-]+(?:part|pt|parts)\b\.? ?(?:[0-9]+|[ivxIVX]+|one|two|three)\b.*$", re.IGNORECASE)
_BRACKET = re.compile(r" *[(\[]([^()\[\]]*)[)\]] *")
_INVERTED_ARTICLE = re.compile(r"^(?P<title>[^,]+), (?P<article>the|a|an|la|le|les|der|die|das|l'|el|il)$", re.IGNORECASE)
_SMALL = frozenset(
    "a an and as at but by de del della der des di du e et for im in la le nor of on or the to und van von y".split()
)
_SURELY_SMALL = frozenset("a an and as de del der des du en et for la le les of or the to und".split())
_MAYBE_SMALL = frozenset("down from in into like off on out over up upon with".split())
_DROPPED_G = re.compile(r"\b([A-Za-z]{2,}(?:[b-df-hj-np-tv-z]|[aeo]y))in\b(?!')")
_SHORTENED = re.compile(
    r"\b(aint|arent|cant|couldnt|didnt|doesnt|dont|hadnt|hasnt|havent|isnt|shouldnt|wasnt|werent|wont|wouldnt|im|ive|youre|youve|"
    r"theyre|thats|theres|whats|weve)\b",
    re.IGNORECASE,
)


def attributed(song: Song) -> Song:
    """Return the song with the artist that its title begins with, "ABBA - Dancing Queen", moved to where it belongs."""
    before, dash, after = (part.strip() for part in re.sub(r" [–—] ", " - ", _bare(song.title)).partition(" - "))
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
    whole = _bare(title)
    clean = _without_noise(whole)
    if not fold(clean):
        return ()
    piece, movement = _without_movement(_without_source(clean))
    found = [piece, *_names_of_work(piece)] if parse_work(piece).is_identified else [*movement, *_parts(piece)]
    spelled = [standard_spelling(_cased(reading)) for reading in found]
    return tuple(dict.fromkeys(reading for reading in spelled if _is_name(reading)))


def plausible_titles(song: Song) -> list[str]:
    """Return the titles that the song's article may have, likeliest first, at most `MAX_TITLES`; [] for no title."""
    song = attributed(song)
    names = artist_names(song.artist)
    called = readings(song.title)
    if not called:
        return []
    work = parse_work(called[0])
    others = [reading for reading in called[1:3] if not parse_work(reading).is_identified]
    if work.form and work.is_identified and names:
        titles = [*work_titles(work, last_name(names[0])), *_spelled_out(work, called[0], last_name(names[0])), *others]
    else:
        name = name_of_work(called[0]) if work.is_identified else called[0]
        titles = [*work_titles(work, ""), *_qualified(name, song.artist, names), *_recased(song.title, name), *others]
    return list(dict.fromkeys(_without_characters(title) for title in titles))[:MAX_TITLES]


def artist_titles(artist: str) -> list[str]:
    """Return the titles that the artist's article may have, likeliest first; [] for "Traditional" and other nobodies."""
    titles: list[str] = []
    for i, name in enumerate(artist_names(artist)[:3]):
        bare = re.sub(r"^the ", "", name, flags=re.IGNORECASE)
        if i:
            titles.append(name)
        elif bare != name:
            titles += [name, bare, f"{bare} (band)"]
        elif re.search(r" (?:&|and) ", name):
            titles.append(name)
        elif " " in name:
            titles += [name, f"{name} (composer)", f"{name} (musician)"]
        else:
            titles += [name, f"{name} (band)", f"{name} (musician)", f"{name} (singer)", f"The {name}"]
    return list(dict.fromkeys(_without_characters(title) for title in titles))


def search_query(song: Song) -> str:
    """Return the words to search for: few, as a plain MediaWiki finds only pages that have them all; "" for no title."""
    song = attributed(song)
    names = artist_names(song.artist)
    called = readings(song.title)
    if not called:
        return ""
    work = parse_work(called[0])
    if work.catalogue:
        words = [last_name(names[0]) if names else "", work.catalogue_title]
    elif work.is_identified:
        words = [last_name(names[0]) if names else "", re.split(r"[:;(\[]", called[0])[0]]
    else:
        words = [names[0] if names else "", _BRACKET.sub(" ", called[0]) if called[0][0] not in "([" else called[0]]
    return " ".join(re.findall(r"[^\W_]+(?:[-'.][^\W_]+)*", " ".join(words)))


def shown_query(song: Song) -> str:
    """Return the query as a person would have typed it: `ABBA Dancing Queen (song)`."""
    return " ".join(f"{song.artist} {song.title} (song)".split())


def _spelled_out(work: Work, called: str, last: str) -> list[str]:
    """The work's title as it is, where no number of its form stands for it."""
    if work.number is not None:
        return []
    return [called] if work.catalogue else [called, f"{called} ({last})"]


def _names_of_work(title: str) -> list[str]:
    """What a numbered work is called beside its number: "Trout Quintet", the "Moonlight" of a sonata."""
    name = name_of_work(title)
    nickname = re.search(r"\"([^\"]{4,})\"|[(\[]([^()\[\]]{4,})[)\]]", name)
    bare = re.sub(r"\"[^\"]*\"|[(\[][^()\[\]]*[)\]]", "", name).strip(" ,;:-")
    if not nickname:
        return [] if is_bare_form(bare) else [bare]
    called = nickname[1] or nickname[2]
    return [f"{called} {bare.split(' ')[-1]}" if is_bare_form(bare) and " " not in called else called]


def _qualified(title: str, artist: str, names: list[str]) -> list[str]:
    if not names:
        return [title, f"{title} (song)", *([f"{title} (folk song)"] if is_unnamed(artist) else [])]
    bare = re.sub(r"^the ", "", names[0], flags=re.IGNORECASE)
    by = [bare] if bare == names[0] else [bare, names[0]]
    titles = [*(f"{title} ({name} song)" for name in by), f"{title} (song)", title]
    is_person = " " in bare and bare == names[0] and not re.search(r" (?:&|and) ", bare)
    return [*titles, f"{title} ({last_name(bare)})"] if is_person else titles


def _bare(title: str) -> str:
    text = _EXTENSION.sub("", re.sub(r"\s+", " ", title.translate(_TYPOGRAPHY)).strip())
    text = (
        _SHORTENED.sub(lambda m: re.sub(r"(?i)(?=t$|m$|ve$|re$|s$)", "'", m[0], count=1), text) if "'" not in text else text
    )
    text = re.sub(r"\b([Mm]rs?|[Dd]r)(?= [A-Z])", r"\1.", text)
    inverted = _INVERTED_ARTICLE.match(text)
    return f"{inverted['article']} {inverted['title']}".replace("' ", "'") if inverted else text


def _without_noise(title: str) -> str:
    text = _TRACK_NUMBER.sub("", title)
    for noise in (_NOISY_BRACKET, _NOISY_END, _NOISY_LAST_WORDS):
        shorter = noise.sub("", text).strip(" -,;")
        text = shorter if fold(shorter) else text
    return text


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


def _without_source(title: str) -> str:
    """The piece without the work that it is from; that work, where the piece has no name of its own."""
    piece, source, whole = title.partition(" from ")
    if not source or whole[:1].islower():
        return title
    return whole if is_bare_form(piece) or fold(piece) == "theme" else piece


def _parts(title: str) -> list[str]:
    """The title and shorter readings: without or within brackets, after or before a colon, before a dash."""
    found = [title]
    if bracket := _BRACKET.search(title):
        outside = " ".join(_BRACKET.sub(" ", title).split())
        is_word = len(bracket[1].split()) == 1
        found = [outside, title] if is_word and fold(outside) else [title, outside, bracket[1]]
    before, colon, after = title.partition(": ")
    found += [after, before] if colon else []
    before, dash, _ = title.replace(" – ", " - ").partition(" - ")
    found += [before] if dash else []
    return [*found, *(shorter for reading in found[:1] if (shorter := _PART_NUMBER.sub("", reading)) != reading)]


def _is_name(reading: str) -> bool:
    words = fold(reading).split()
    return bool(words) and not all(re.fullmatch(rf"{_TEMPO_WORD}|[ivx0-9]+", word) for word in words)


def _cased(title: str) -> str:
    """The title in Wikipedia's case, where it is written without one or with every word capitalised."""
    words = title.split(" ")
    if title in (title.lower(), title.upper()) and (len(words) > 1 or title == title.lower()):
        return _capitalised([word.lower() for word in words], _SMALL | {"with", "from"})
    if not any(word[:1].islower() for word in words):
        return " ".join(
            word.lower() if 0 < i < len(words) - 1 and word.lower() in _SURELY_SMALL and word[1:].islower() else word
            for i, word in enumerate(words)
        )
    return title[:1].upper() + title[1:]


def _capitalised(words: list[str], small: frozenset[str]) -> str:
    last = len(words) - 1
    cased = [word if 0 < i < last and word in small else _capital(word) for i, word in enumerate(words)]
    return " ".join(cased)


def _capital(word: str) -> str:
    if re.fullmatch(r"[ivx]{2,4}[.,:)]?", word) and word not in ("mix", "ivi", "xi"):
        return word.upper()
    return re.sub(r"^(\W*)(\w)", lambda m: m[1] + m[2].upper(), word)


def _recased(written: str, title: str) -> list[str]:
    """The title in the other cases and spellings that it may have: "over" and "Over", another language's, "Stayin'"."""
    words = title.split(" ")
    inner = {i for i, word in enumerate(words) if 0 < i < len(words) - 1 and word.lower() in _MAYBE_SMALL}
    is_caseless = written == written.lower()
    found = [_DROPPED_G.sub(r"\1in'", title)]
    if is_caseless or not any(word[:1].islower() for word in words):
        found.append(" ".join((_capital(w) if is_caseless else w.lower()) if i in inner else w for i, w in enumerate(words)))
    found.append(title[:1] + title[1:].lower() if is_caseless else _capitalised(words, _SMALL | _MAYBE_SMALL))
    return [spelling for spelling in found if spelling != title]


def _without_characters(title: str) -> str:
    """The title without the characters that no Wikipedia title can have."""
    return " ".join(re.sub(r"[#<>\[\]{}|_\x00-\x1f]", " ", title).split())
