"""What may be said of a piece in a caption, in which words, and what those words state.

Every wording carries the facts that `amt_ray.text.analyse` should read in it, so that a caption knows what it said. Words of
other people (artist, title, genre) are used only where they do not say something else about the music than the features
do: a "Waltz in D minor" that stands in C major keeps its title to itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from amt_ray.midi.instruments import DRUMS, N_PROGRAMS, family_of
from amt_ray.midi.keys import KEYS, MIN_KEY_CONFIDENCE
from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import TextAnalysis
from amt_ray.text.caption_words import NUMBER_WORDS, is_piece, nouns_of, words_for
from amt_ray.text.labels import GENRES, MOODS
from amt_ray.text.lexicon import tempo_words
from amt_ray.text.mood import mood_of
from amt_ray.text.notation import FASTEST_BPM, SLOWEST_BPM, TIME_SIGNATURES

MAX_INSTRUMENTS = 8
MAX_CHORDS = 4
SHORT_S, LONG_S, LONGEST_S = 90.0, 300.0, 900.0
SHORTEST_STATED_S, LONGEST_STATED_S = 5.0, 7200.0
SPARSE_NOTES_PER_BEAT, DENSE_NOTES_PER_BEAT = 1.5, 8.0
MAX_BARS = 200
MAX_NAME_CHARS = 60
STEADY_CHANGES = 2
"""A tempo or metre that changes more often is said to hold about, or mostly."""

_CHORDAL_FAMILIES = frozenset({"piano", "chromatic percussion", "organ", "guitar"})
_ITALIAN = (
    "adagietto|adagio|allegretto|allegro|allegro moderato|andante|andantino|grave|larghetto|largo|lento|moderato|"
    "molto allegro|prestissimo|presto|vivace"
)
_MARKINGS = frozenset(_ITALIAN.split("|"))
_TEMPO_WORD = 0.75
"""The least confidence of a tempo that a word means and nothing else; a dance implies one with less."""
_PICKUPS = frozenset({"1/8", "1/4"})
"""Metres of cut bars, which nobody would call a piece's."""
_NOBODY = frozenset({"traditional", "anonymous", "unknown", "various", "various artists"})
_SIGNS = {"#": ("#", "-sharp", " sharp", "♯"), "b": ("b", "-flat", " flat", "♭"), "": ("",)}


class Fact(NamedTuple):
    """One thing that is said of a piece: `("key", "G minor")`, `("instrument", 40)`, `("tempo", (40.0, 60.0))` …"""

    kind: str
    value: Any


class Wording(NamedTuple):
    """Words, the facts that they state, and those that they bring to mind: a koto that the music is of the world."""

    text: str
    facts: frozenset[Fact]
    implied: frozenset[Fact] = frozenset()


@dataclass(frozen=True)
class Facts:
    """What may be said of a piece: `wordings` by the plans' slots, none of them empty, and of each instrument its names.

    Instruments stand in order of prominence, drums last; `n_instruments` counts those beyond `MAX_INSTRUMENTS`, too.
    """

    wordings: Mapping[str, tuple[Wording, ...]]
    instruments: tuple[tuple[Wording, ...], ...]
    n_instruments: int


def stated(analysis: TextAnalysis) -> frozenset[Fact]:
    """Return the facts that were read in a text, of the kinds that captions state; lengths by their middle, in seconds."""
    bpm, duration_s = analysis.tempo_bpm, analysis.duration_s
    singles = {
        "key": analysis.key,
        "metre": analysis.time_signature,
        "tempo": analysis.tempo_range_bpm,
        "bpm": None if bpm is None else round(bpm),
        "texture": analysis.polyphony,
        "density": analysis.density,
        "bars": analysis.bars,
        "length": None if duration_s is None else round(sum(duration_s) / 2),
        "exclusive": analysis.instruments_exclusive or None,
        "chords": tuple(chord for chord in analysis.chords if not _is_numeral(chord)) or None,
        "progression": tuple(chord for chord in analysis.chords if _is_numeral(chord)) or None,
    }
    return frozenset(
        [
            *(Fact(kind, value) for kind, value in singles.items() if value is not None),
            *(Fact("instrument", mention.programs[0]) for mention in analysis.instruments),
            *(Fact("excluded instrument", mention.programs[0]) for mention in analysis.excluded_instruments),
            *(Fact("mood", mood.name) for mood in analysis.moods if mood.name in MOODS),
            *(Fact("genre", genre.name) for genre in analysis.genres),
        ]
    )


def facts_of(features: Mapping[str, Any], metadata: Mapping[str, Any]) -> Facts:
    """Choose what may be said, and how.

    `features` has columns of `amt_ray.schemas.PIECES`, `metadata` artist, title and genre; each may be missing, None or "".
    """
    bpm = _number(features.get("tempo_bpm"))
    mood = mood_of(features)
    programs = _prominent(features.get("programs"))
    # Drums have no voices to count: alone they are no single line.
    texture = "" if programs == [DRUMS] else features.get("polyphony") or ""
    metre = features.get("time_signature") or ""
    genre = _harmless(features, _words(metadata, "genre").lower(), bpm, mood)
    artist = _harmless(features, _words(metadata, "artist"), bpm, mood)
    title = _harmless(features, _words(metadata, "title"), bpm, mood)
    density = _density(_number(features.get("density_notes_per_beat")))
    wordings = {
        **_tempo_wordings(bpm, features.get("n_tempo_changes") or 0),
        **_metre_wordings(metre, bpm, features.get("n_time_signature_changes") or 0),
        **_length_wordings(_number(features.get("duration_s")), features.get("n_bars") or 0),
        **_genre_wordings(genre),
        **_harmony_wordings(features),
        "key": _key_wordings(features),
        "mood": _worded(words_for("mood", mood or ""), Fact("mood", mood)),
        "texture": _ways(words_for("texture", texture), Fact("texture", texture)),
        "texture_adjective": _ways(words_for("texture_adjective", texture), Fact("texture", texture)),
        "density": _ways(words_for("density", density), Fact("density", density)),
        "artist": _worded([artist] if artist else []),
        "title": _worded([title] if title and artist else []),
    }
    instruments = tuple(_names(program, programs[:MAX_INSTRUMENTS]) for program in programs[:MAX_INSTRUMENTS])
    if len(programs) == 1 and not _name_instruments(genre, artist, title):
        wordings["solo"] = _solo(programs[0], instruments[0])
    return Facts({slot: ways for slot, ways in wordings.items() if ways}, instruments, len(programs))


def _ways(texts: Iterable[str], *facts: Fact) -> tuple[Wording, ...]:
    return tuple(Wording(text, frozenset(facts)) for text in texts)


def _worded(texts: Iterable[str], *facts: Fact) -> tuple[Wording, ...]:
    """Words that may bring more to mind than they state."""
    return tuple(Wording(text, frozenset(facts), stated(_analysis(text)).difference(facts)) for text in texts)


@lru_cache(maxsize=8192)
def _analysis(text: str) -> TextAnalysis:
    return analyse(text)


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _within(value: float | None, bounds: tuple[float, float]) -> bool:
    return value is not None and bounds[0] <= value <= bounds[1]


def _is_numeral(chord: str) -> bool:
    return chord.lstrip("b#♭♯")[:1] in set("IViv")


def _tempo_wordings(bpm: float | None, n_changes: int) -> dict[str, tuple[Wording, ...]]:
    fitting = {word: bounds for word, bounds in tempo_words(True).items() if _within(bpm, bounds)}
    ways = [way for word, bounds in fitting.items() for way in _worded([word], Fact("tempo", bounds))]
    figure = round(bpm) if bpm is not None and SLOWEST_BPM <= round(bpm) <= FASTEST_BPM else None
    average = " on average" if n_changes > STEADY_CHANGES else ""
    units = (" BPM", " bpm", " beats per minute")
    return {
        "tempo": tuple(way for way in ways if way.text not in _MARKINGS),
        "marking": tuple(way._replace(text=way.text.capitalize()) for way in ways if way.text in _MARKINGS),
        "bpm": _ways([f"{figure}{unit}{average}" for unit in units], Fact("bpm", figure)) if figure else (),
    }


def _metre_wordings(metre: str, bpm: float | None, n_changes: int) -> dict[str, tuple[Wording, ...]]:
    if metre not in TIME_SIGNATURES or metre in _PICKUPS:
        return {}
    mostly, fact = "mostly " if n_changes > STEADY_CHANGES else "", Fact("metre", metre)
    waltz_bpm = tempo_words()["waltz"]
    return {
        "metre": _ways([f"{mostly}{metre}"], fact),
        "time": _ways([f"{mostly}{name}" for name in (metre, f"{metre} time", *words_for("metre", metre))], fact),
        "waltz": _worded(["waltz"], fact) if metre == "3/4" and _within(bpm, waltz_bpm) else (),
    }


def _length_wordings(duration_s: float | None, n_bars: int) -> dict[str, tuple[Wording, ...]]:
    bars = [str(n_bars), *NUMBER_WORDS[n_bars : n_bars + 1]] if 1 < n_bars <= MAX_BARS else []
    word = "short" if _within(duration_s, (SHORTEST_STATED_S, SHORT_S)) else ""
    word = "long" if _within(duration_s, (LONG_S, LONGEST_S)) else word
    return {
        "bars": _ways([f"{figure} bars" for figure in bars], Fact("bars", n_bars)),
        "length": _durations(duration_s) if _within(duration_s, (SHORTEST_STATED_S, LONGEST_STATED_S)) else (),
        "short": _short(word) if word else (),
    }


def _short(word: str) -> tuple[Wording, ...]:
    texts = [f"{word} {noun}" for noun in ("piece", "composition")]
    return tuple(Wording(text, stated(_analysis(text))) for text in texts)


def _durations(duration_s: float | None) -> tuple[Wording, ...]:
    """Seconds by five up to a minute and a half, then half minutes, from ten minutes on whole ones."""
    exact_s = duration_s or 0.0
    if exact_s < SHORT_S:
        rounded_s = max(5, 5 * round(exact_s / 5))
        texts = [f"{rounded_s} seconds"]
    else:
        unit_s = 30 if exact_s < 600 else 60
        rounded_s = unit_s * round(exact_s / unit_s)
        whole, rest_s = divmod(rounded_s, 60)
        numbers = [str(whole), *NUMBER_WORDS[whole : whole + 1]]
        unit = "minute" if whole == 1 else "minutes"
        texts = [f"{number} {unit}{' and a half' if rest_s else ''}" for number in numbers]
    fact = Fact("length", rounded_s)
    return _ways([f"{about}{text}" for about in ("", "about ", "roughly ") for text in texts], fact)


def _key_wordings(features: Mapping[str, Any]) -> tuple[Wording, ...]:
    key, confidence = features.get("key") or "", _number(features.get("key_confidence")) or 0.0
    if key not in KEYS or confidence < MIN_KEY_CONFIDENCE:
        return ()
    tonic, mode = key.split()
    return _ways([f"{tonic[0]}{sign} {mode}" for sign in _SIGNS[tonic[1:]]], Fact("key", key))


def _harmony_wordings(features: Mapping[str, Any]) -> dict[str, tuple[Wording, ...]]:
    """The chords that sound longest, and the progression; nothing of a single line, whose chords are guesses."""
    if features.get("polyphony") == "mono":
        return {}
    chords = tuple(features.get("chords") or ())[:MAX_CHORDS]
    progression = tuple((features.get("progression") or "").split())
    lists = [f"{', '.join(chords[:-1])} and {chords[-1]}", ", ".join(chords)] if len(chords) > 1 else []
    runs = ["–".join(progression), "-".join(progression)] if len(progression) > 1 else []
    return {"chords": _ways(lists, Fact("chords", chords)), "progression": _ways(runs, Fact("progression", progression))}


def _density(notes_per_beat: float | None) -> str:
    if notes_per_beat is None or SPARSE_NOTES_PER_BEAT <= notes_per_beat <= DENSE_NOTES_PER_BEAT:
        return ""
    return "sparse" if notes_per_beat < SPARSE_NOTES_PER_BEAT else "dense"


def _prominent(programs: Sequence[int] | None) -> list[int]:
    known = [int(program) for program in (programs if programs is not None else ()) if 0 <= program < N_PROGRAMS]
    return sorted(known, key=lambda program: program == DRUMS)


def _names(program: int, programs: Sequence[int]) -> tuple[Wording, ...]:
    """Names that mean none of the other programs: beside a bright piano, a "grand piano" may be that one."""
    exact, *others = words_for("instrument", str(program))
    rest = set(programs) - {program}
    unmistakable = (name for name in others if rest.isdisjoint(_analysis(name).instruments[0].programs))
    return _worded([exact, *unmistakable], Fact("instrument", program))


def _solo(program: int, names: Sequence[Wording]) -> tuple[Wording, ...]:
    """Ways to say that nothing else plays; "solo flute" would say more, that it plays one note at a time."""
    patterns = ("solo {}", "{} alone") if family_of(program) in _CHORDAL_FAMILIES else ("{} alone",)
    texts = [how.format(name.text) for name in names for how in patterns]
    return _worded(texts, Fact("instrument", program), Fact("exclusive", True))


def _genre_wordings(genre: str) -> dict[str, tuple[Wording, ...]]:
    adjectives, names = (
        words_for("genre", genre) or (genre,),
        words_for("style", genre) or words_for("genre", genre) or (genre,),
    )
    if not any(adjectives):
        return {"noun": _ways(nouns_of(""))}
    listed = [Fact("genre", genre)] if genre in GENRES else []
    nouns = _worded([genre], *listed) if is_piece(genre) else ()
    return {
        "noun": _ways(nouns_of(genre)),
        "genre_noun": nouns,
        "genre": () if nouns else _worded(adjectives, *listed),
        "style": _worded(names, *listed),
    }


def _words(metadata: Mapping[str, Any], column: str) -> str:
    words = " ".join(str(metadata.get(column) or "").split()).strip(" .,;:-&")
    return "" if len(words) > MAX_NAME_CHARS or words.lower() in _NOBODY else words


def _harmless(features: Mapping[str, Any], words: str, bpm: float | None, mood: str | None) -> str:
    """Return words where they claim nothing about the music that the features do not; "" otherwise."""
    claimed = _analysis(words)
    agrees = (
        _claims_no_figures(claimed)
        and _denies_nothing(words)
        and {mention.programs[0] for mention in claimed.instruments} <= set(_prominent(features.get("programs")))
        and claimed.time_signature in {None, features.get("time_signature")}
        and claimed.polyphony in {None, features.get("polyphony")}
        and (claimed.mode is None or claimed.mode in (features.get("key") or ""))
        and (claimed.tempo_range_bpm is None or _within(bpm, claimed.tempo_range_bpm))
        and (mood is None or not claimed.moods or mood in {label.name for label in claimed.moods})
    )
    return words if agrees else ""


def _claims_no_figures(claimed: TextAnalysis) -> bool:
    figures = (claimed.key, claimed.tempo_bpm, claimed.bars, claimed.duration_s, claimed.density)
    tempo = claimed.evidence.get("tempo_range_bpm")
    has_tempo_word = tempo is not None and tempo.confidence >= _TEMPO_WORD  # it would be taken for the caption's own
    return not any((*figures, claimed.chords, claimed.instruments_exclusive, claimed.excluded_instruments, has_tempo_word))


def _name_instruments(*words: str) -> bool:
    """Whether "piano alone" would be followed by an instrument: "for piano alone … Like "Piano Sonata"" is no solo."""
    return any(_analysis(some).instruments for some in words)


def _denies_nothing(words: str) -> bool:
    """Whether words leave what follows them as it is: "without" would deny it, "electric" would change it."""
    read = stated(_analysis(f"{words} violin"))
    return read == stated(_analysis(words)) | stated(_analysis("violin"))
