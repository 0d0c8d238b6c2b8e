"""What an article is about, told from the first sentence of its lead: "… is a 1977 song by …" is about a work of music.

English Wikipedia's leads begin with a definition (Manual of Style, "Lead section"); its predicate noun is what is read here.
"""

from __future__ import annotations

import functools
import re
from typing import Literal

from amt_ray.wiki.names import plain

MAX_SENTENCE_CHARACTERS = 1500

Subject = Literal["work", "stage", "artist", "disambiguation", "other", "unknown"]
"""A song or composition; a musical or revue; a musician or band; a list of meanings; something else; no telling."""

_WORK_WORDS = (
    "air allemande anthem aria arioso arrangement aubade bagatelle ballad ballade ballet barcarolle berceuse bolero "
    "boogie bossa bourree cakewalk calypso canon cantata canticle canzona canzonetta capriccio caprice carol cha-cha "
    "chaconne chanson chant chorale chorus collaboration composition concerti concerto conga contredanse courante "
    "cover csardas cumbia cycle danzon dirge ditty divertimento divertissement duet dumka elegy entry etude fandango "
    "fanfare fantasia fantasie fantasy foxtrot fugue galliard galop gavotte gigue glee gloria habanera hit hornpipe "
    "humoresque hymn impromptu instrumental interlude intermezzo invention jam jig jingle jota lament landler "
    "leitmotif lied lieder litany lullaby madrigal magnificat malaguena mambo march masque mass mazurka medley melody "
    "merengue milonga minuet motet movement nocturne ode opera operetta opus oratorio overture paraphrase part-song "
    "partita pasodoble passacaglia passion pastorale pavane piece polka polonaise prelude psalm quadrille rag "
    "recording reel requiem rhapsody rhyme ricercar romance rondeau rondo round rumba salsa saltarello samba "
    "sarabande scherzo score serenade setting shanty shuffle sinfonia single singspiel sonata sonatina song spiritual "
    "standard stomp strathspey study suite symphony tango tarantella theme threnody toccata track tune two-step "
    "variation vespers villancico villanella voluntary waltz work"
)
_WORKS = frozenset(_WORK_WORDS.split())
_ENSEMBLES_OR_WORKS = frozenset(["quartet", "trio", "quintet", "sextet", "octet", "nonet"])
_STAGE = frozenset(["musical", "revue", "zarzuela"])
_ARTIST_WORDS = (
    "accordionist arranger band bandleader bandmaster baritone bassist cantor cellist choir choirmaster clarinetist "
    "composer conductor contralto cornetist deejay dj drummer ensemble fiddler flautist flutist guitarist harpist "
    "harpsichordist hymnist hymnodist instrumentalist kapellmeister keyboardist lutenist lyricist mandolinist "
    "minstrel musician musicologist oboist orchestra orchestrator organist percussionist pianist rapper saxophonist "
    "singer songstress songwriter soprano supergroup tenor trombonist troubadour trumpeter turntablist violinist "
    "violist vocalist"
)
_ARTISTS = frozenset(_ARTIST_WORDS.split())
_VAGUE_ARTIST_WORDS = (
    "act artist collective consort duo entertainer group outfit performer player project soloist star virtuoso"
)
_VAGUE_ARTISTS = frozenset(_VAGUE_ARTIST_WORDS.split())
"""Who makes music only if a word of music stands before: "pop group", "recording artist"."""
_OTHER_WORDS = (
    "actor actress adaptation album anime autobiography biography book broadcast building campaign character club "
    "comedy comic company competition compilation concert contest corporation country dance discography documentary "
    "drama ep episode event festival film franchise game genre label lp magazine manga memoir miniseries mixtape "
    "movie newspaper novel novella painting place play playlist poem poet politician portrait product program "
    "programme publisher residency sculpture sequel series ship show soundtrack special state story strip style "
    "technique term tour town trilogy venue video village word"
)
_OTHERS = frozenset(_OTHER_WORDS.split())
"""Nouns that stand for no work of music, even where the sentence speaks of songs and those who sing them."""
_MUSICAL_GROUP = re.compile(
    r"\b(?:a cappella|beat|big|bluegrass|blues|boy|celtic|cello|chamber|country|disco|drum|electronic|eurodance|flute|"
    r"folk|funk|girl|grunge|guitar|harp|hip hop|house|indie|instrumental|jazz|lute|metal|music|musical|new wave|organ|"
    r"percussion|piano|pop|production|punk|r&b|rap|recording|reggae|rock|saxophone|singing|ska|songwriting|soul|swing|"
    r"synth\w*|techno|trumpet|violin|vocal)\b"
)
_CHAIN_WORDS = (
    "all any best book collection earliest eighth example excerpt fifth finest first five four fourth greatest group "
    "largest last latest longest most name nickname ninth number one pair part second section series set seventh "
    "shortest six sixth some tenth third three title two version volume"
)
_CHAINS = frozenset(_CHAIN_WORDS.split())
"""Nouns after which the meaning comes with "of": a set of waltzes, the title of a song."""
_STOP_WORDS = (
    "about after against along among and/or as at based before between by composed depicting directed during featuring "
    "following for from in including made near of on performed produced published recorded released starring sung that "
    "through to under via when where which who whose with within written"
)
_STOPS = frozenset(_STOP_WORDS.split())
_PHRASES: dict[str, Subject] = {
    "incidental music": "work",
    "musical number": "work",
    "symphonic poem": "work",
    "theme music": "work",
    "tone poem": "work",
    "music producer": "artist",
    "record producer": "artist",
    "international standard": "other",
    "technical standard": "other",
}
_NOT_NOUNS = re.compile(r"(?:\w+(?:ed|ly)|sung|given|known|done|sold|active|popular|-)$")
_CHAINED = re.compile(r"(?:of|for|to|among|from|in(?= an? )) (?:\W .*?, (?=an? ))?(.*)")
"""What a chain leads to; where that was a title in quotation marks, what stands in apposition to it."""
_MEANINGS = re.compile(r"\b(?:may|can|could|most often|commonly|might) (?:also )?(?:be )?refers?(?:red)? to\b|\bmay be:")
_CONCEPT = re.compile(r"(?:In [\w ]{3,40}, )?(?:An?|an?|The term) [a-z]")
_COPULA = re.compile(
    r"(?<![\w'])(?:is|was|are|were|refers to)\s+(?:(?:also|perhaps|both|now|considered|[a-z]+ly) )*"
    r"(?P<predicate>(?:an?|the|one|two|three|four|five|six|twelve|twenty-four|some|any|his|her|its|their|[A-Z][\w']+)\s.*)",
    re.DOTALL,
)
_SENTENCE_END = re.compile(r"\.[\"')\]]?\s+(?=[\"'(]?[A-Z0-9])|[!?][\"']?\s+(?=[A-Z])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|approx|arr|ca?|Dr|feat|ft|Hob|Jr|lit|Mrs?|Ms|Mt|Nos?|Nr|Opp?|posth|Sr|St|transl?|vol|vs|WoO)|\.[A-Za-z])$"
)
_MUSIC = re.compile(
    r"\b(?:anthems?|arias?|ballads?|cantatas?|carols?|chorales?|composed|compositions?|concertos?|etudes?|fugues?|hymns?|"
    r"instrumentals?|lied(?:er)?|lullab(?:y|ies)|melod(?:y|ies)|nocturnes?|operas?|orchestral|preludes?|rags?|recorded|"
    r"recordings?|singles?|sonatas?|songs?|symphon\w+|tunes?|waltz(?:es)?)\b"
)


@functools.lru_cache(maxsize=4096)
def first_sentence(lead: str) -> str:
    """Return the first sentence of a lead, without diacritics; neither "Op. 27, No. 2" nor "J. S. Bach" ends it.

    At most `MAX_SENTENCE_CHARACTERS`, so that a lead of any length is read in linear time.
    """
    text = plain(lead[: 2 * MAX_SENTENCE_CHARACTERS]).strip()[:MAX_SENTENCE_CHARACTERS]
    for end in _SENTENCE_END.finditer(text):
        before = text[max(0, end.start() - 12) : end.start()]
        if not _ABBREVIATION.search(before) or text[end.start()] != ".":
            return text[: end.start() + 1]
    return text


@functools.lru_cache(maxsize=4096)
def subject_of(lead: str) -> Subject:
    """Return what the lead's first sentence says that the article is about."""
    sentence = first_sentence(lead)
    if _MEANINGS.search(sentence.lower()):
        return "disambiguation"
    predicate = _predicate(sentence)
    if predicate is None:
        return "unknown"
    return "other" if _CONCEPT.match(sentence) else _subject_of_predicate(predicate)


@functools.lru_cache(maxsize=4096)
def is_musician(lead: str) -> bool:
    """Tell whether the first sentence describes a person or band in music, whatever else they are."""
    predicate = _predicate(first_sentence(lead))
    if predicate is None or subject_of(lead) in ("work", "stage", "disambiguation"):
        return False
    phrase, _ = _noun_phrase(predicate.replace(",", " and "))
    return any(subject_of_noun(part) == "artist" for part in re.split(r"\band\b", phrase))


def subject_of_noun(phrase: str, rest: str = "") -> Subject:
    """Return what a noun with its adjectives stands for, lower-case: "power ballad", "rock band"; `rest` comes after it."""
    words = _nouns(phrase.split())
    if not words:
        return "unknown"
    if known := _PHRASES.get(" ".join(words[-2:])):
        return known
    head = _singular(words[-1].split("-")[-1])
    if head & _ENSEMBLES_OR_WORKS:
        return "work" if re.search(r"\b(?:by|composed|written)\b", rest) else "artist"
    if head & _WORKS:
        return "work"
    if head & _STAGE:
        return "stage"
    if head & _ARTISTS or (head & _VAGUE_ARTISTS and _MUSICAL_GROUP.search(" ".join(words))):
        return "artist"
    return "other" if head & (_OTHERS | _VAGUE_ARTISTS) else "unknown"


def speaks_of_music(lead: str) -> bool:
    """Tell whether the first sentence has a word for a work of music."""
    return bool(_MUSIC.search(first_sentence(lead).lower()))


def _predicate(sentence: str) -> str | None:
    without_brackets = sentence
    while (shorter := re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", without_brackets)) != without_brackets:
        without_brackets = shorter
    definition = _COPULA.search(re.sub(r'"[^"]*"', "", without_brackets))
    return definition["predicate"] if definition else None


def _subject_of_predicate(predicate: str) -> Subject:
    phrase, rest = _noun_phrase(predicate)
    nouns = _nouns(phrase.split())
    if nouns and _singular(nouns[-1].split("-")[0]) & _CHAINS and (inner := _CHAINED.match(rest)):
        return _subject_of_predicate(inner[1])
    subjects = [subject_of_noun(part, rest) for part in re.split(r"\band\b", phrase)]
    return next((s for s in subjects if s not in ("other", "unknown")), "other" if "other" in subjects else "unknown")


def _noun_phrase(predicate: str) -> tuple[str, str]:
    """The words before the first punctuation mark or preposition, lower-case, and what follows."""
    words = re.findall(r"[\w'&$-]+|[^\w\s]", predicate.lower())
    end = next((i for i, word in enumerate(words) if i and (word in _STOPS or not re.search(r"\w", word))), len(words))
    return " ".join(words[:end]), " ".join(words[end:])


def _nouns(words: list[str]) -> list[str]:
    end = len(words)
    while end and not _singular(words[end - 1]) & _WORKS and _NOT_NOUNS.match(words[end - 1].split("-")[-1]):
        end -= 1
    return words[:end]


def _singular(word: str) -> set[str]:
    return {word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)}
