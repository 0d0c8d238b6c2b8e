"""What a MIDI file says in words: title, artist, copyright and lyrics.

Text events are found by their bytes, without reading the events between them: `FF`, type, length, text, and after it a delta
time and a status byte or the track's end. That is linear in the file's size, whatever is in it. What it gets wrong: other
bytes that look so are taken for text (parts of a sequencer's own events can); texts of 16 KiB and more, texts with control
characters and texts followed by running status, which the standard forbids, are not seen.

Texts are decoded as UTF-8; the others as Shift JIS where kana show it, else as Windows-1252. Lyrics are the lyric events
(MMA RP-017) or, in karaoke files (Tune 1000's Soft Karaoke), the text events of the words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from amt_ray.midi.instruments import FAMILIES, INSTRUMENTS

TEXT, COPYRIGHT, TRACK_NAME, LYRIC = 1, 2, 3, 5
"""Types of meta events (Standard MIDI Files 1.0)."""
MOST_TRACKS, MOST_EVENTS = 10_000, 20_000
"""What comes after more than these is not looked at: no music has so many, only damaged or hostile files."""
LONGEST_NAME = 100
"""Titles and names of more characters are none."""
MIDI_YEAR = 1983
"""A copyright of a year before MIDI is the song's, not that of whoever made the file."""


@dataclass(frozen=True)
class FileTexts:
    """What a file says of its music; "" for what it does not say. Copyright and lyrics may have several lines."""

    title: str = ""
    artist: str = ""
    copyright: str = ""
    lyrics: str = ""


class _Event(NamedTuple):
    track: int
    kind: int
    text: str


def read_texts(data: bytes) -> FileTexts:
    """Read the texts of a Standard MIDI File; of other or damaged bytes whatever is found. Never raises.

    The title is a karaoke file's first `@T` line, else the first track's name if it names more than instruments, staves or
    programs. The artist is the second `@T` line, else a line "by …", else the holder of a copyright older than MIDI, if it
    is clearly a name.
    """
    events = list(_decoded(list(_events(data))))
    words = _karaoke_words([event for event in events if event.kind == TEXT])
    headings = [_one_line(event.text[2:]) for event in events if event.kind != COPYRIGHT and event.text.startswith("@T")]
    names = [_one_line(event.text) for event in events if event.kind == TRACK_NAME and event.track == 0][:1]
    rights = list(dict.fromkeys(_one_line(event.text) for event in events if event.kind == COPYRIGHT))
    notes = [_one_line(event.text) for event in events if event.kind == TEXT and event.track == 0 and not words]
    lyrics = _of_longest_track([event for event in events if event.kind == LYRIC])
    return FileTexts(
        title=next(iter([*filter(_is_plain, headings[:1]), *filter(_is_title, names)]), ""),
        artist=next(filter(_is_name, [*map(_without_by, headings[1:2]), *filter(None, map(_credited, notes + rights))]), ""),
        copyright="\n".join(filter(None, rights)),
        lyrics=max(_joined(lyrics), _joined(words), key=len),
    )


_META = re.compile(rb"\xff(?<=[\x00-\x7f]\xff)(?=([\x01\x02\x03\x05])([\x81-\xff]?[\x00-\x7f]))")
_NEXT_EVENT = re.compile(rb"[\x80-\xff]{0,3}[\x00-\x7f][\x80-\xff]|\Z")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _tracks(data: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end of each track's events; a length that is too great ends with the data."""
    at = data.find(b"MTrk")
    for _ in range(MOST_TRACKS):
        if at < 0:
            return
        begin = at + 8
        end = min(begin + int.from_bytes(data[at + 4 : begin], "big"), len(data))
        yield begin, end
        at = data.find(b"MTrk", end)


def _events(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Track, type and bytes of each text event.

    Linear, because a text is searched up to its first control character, which the type of the next candidate is.
    """
    n_left = MOST_EVENTS
    for track, (begin, end) in enumerate(_tracks(data)):
        for match in _META.finditer(data, begin, end):
            n_left -= 1
            if n_left < 0:
                return
            text = match.end(2)
            past = text + _length(match[2])
            if past > end or not _NEXT_EVENT.match(data, past, end):
                continue
            control = _CONTROL.search(data, text, past)
            if control is None or not data[control.start() : past].strip(b"\0"):
                yield track, match[1][0], data[text:past]


def _length(quantity: bytes) -> int:
    """Value of a variable-length quantity of one or two bytes."""
    return quantity[0] if len(quantity) == 1 else (quantity[0] & 0x7F) << 7 | quantity[1]


_KANA = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]")
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffd]")


def _decoded(events: list[tuple[int, int, bytes]]) -> Iterator[_Event]:
    other = _other_encoding(b"\n".join(data for _, _, data in events))
    for track, kind, data in events:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode(other, errors="replace")
        if text := _NOT_TEXT.sub("", text):
            yield _Event(track, kind, text)


def _other_encoding(texts: bytes) -> str:
    """The encoding of texts that are not UTF-8: three kana are no words in Windows-1252."""
    if len(_KANA.findall(texts)) < 3:
        return "cp1252"
    try:
        texts.decode("cp932")
    except UnicodeDecodeError:
        return "cp1252"
    return "cp932"


def _one_line(text: str) -> str:
    return " ".join(text.split())


_NOISE_WORDS = """
a all by de file in is my no of on or out the to und with i ii iii iv v vi vii viii track tracks trk staff stave
part voice voices channel ch chan port midi mid smf gm gs xg mt sc td seq sequence sequencer sequenced pattern clip
region take scene mix mixdown master main conductor control tempo meter metre signature key setup init header
global marker markers title titel titre name untitled unbenannt unnamed unknown none null empty blank default new
neu test temp tmp demo song info text words lyrics karaoke copyright chords chord melody melodie solo vocal vocals
vox sing singer rhythm backing base basso left right hand lh rh upper lower accomp accompaniment snare kick hihat
hat cymbal cymbals toms ride crash conga congas bongo bongos djembe shaker tambourine percussion perc drumkit
drumset kit set studio classic standard power upright gtr guitars guit pno pn keys keyboard keyboards klavier
gitarre schlagzeug batterie batteria chitarra guitare guitarra bateria bajo str strgs violins violas cellos celli
vln vla vlc vc cb contrabass kontrabass clarinets flutes oboes bassoons horns trumpets trombones sax saxes
saxophones bariton sopran satb chorus synthesizer pads fx sfx arp dist distort distortion overdrive mute finger
fingered tutti orchestra orchester mandolin ukulele lute cornet euphonium cakewalk cubase logic ableton live reaper
musescore sibelius noteworthy composer lilypond band winjammer powertracks garageband fruityloops fl anvil
rosegarden tuxguitar pro voyetra roland yamaha korg export exported created converted generated made version creator
program programme software windows mac instrument instruments inst patch spur piste pista traccia st nd rd th first
second el elec orch chor hrn tpt tbn ob timp aahs oohs ahs ahh ooh rhodes fantasia ensembles drumkits lo hi low high
long short open closed pedal side stick splash chinese bell vibraslap timbale timbales cabasa maracas whistle guiro
claves wood block cuica triangle clap clav clavi chiff bottle
"""
_NOISE = frozenset(re.findall("[a-z]+", " ".join((*INSTRUMENTS, *FAMILIES, _NOISE_WORDS)).lower()))
"""Words for instruments, staves and programs: a title has another one."""
_NO_NAME = re.compile(
    r"(?i)[@\\<>|=]|:(?! )|www\.|http|\.(?:mid|midi|kar|com|net|org)\b|\(c\)|©|copyright|karaoke|sequenced|arranged"
)
_NO_ARTIST = re.compile(
    r"(?i)[\d,;/()]|\b(?:music|publish\w*|records|inc|ltd|gmbh|corp|company|editions?|verlag|press|software|midi|studios?|"
    r"productions?|entertainment|licen[sc]ed?|domain|rights|traditional|trad|unknown|anon\w*|author|artist|me|myself|name)\b"
)
_PARTICLE = re.compile(r"(?i)&|and|the|of|v[oa]n|de[rl]?|l[ae]|d[aiu]|y|und|et")
_BY = re.compile(r"(?i)(?:(?:words and )?music |composed |performed |written |sung )?by:? (.+)|(?:artist|composer): ?(.+)")
_OLD_COPYRIGHT = re.compile(
    r"(?i)(?:copyright |\(c\) ?|© ?|℗ ?|\(p\) ?)+(\d{4}),? (?:by )?(.+?)\.?(?: all rights reserved\.?)?"
)


def _is_plain(line: str) -> bool:
    return len(line) <= LONGEST_NAME and any(map(str.isalpha, line)) and not _NO_NAME.search(line)


def _is_title(line: str) -> bool:
    """Whether a track's name is a title: a file's name or words that name instruments, staves and programs are none."""
    words = re.findall(r"[^\W\d_]+", line.lower())
    is_file_name = " " not in line and re.search(r"[\d_]", line) is not None
    return _is_plain(line) and not is_file_name and any(len(word) > 1 and word not in _NOISE for word in words)


def _is_name(line: str) -> bool:
    """Whether a line is clearly somebody's name: up to six words with capitals, and nothing else."""
    words = line.split()
    has_capitals = all((word[0].isalpha() and not word[0].islower()) or _PARTICLE.fullmatch(word) for word in words)
    return len(words) <= 6 and has_capitals and _is_title(line) and not _NO_ARTIST.search(line)


def _without_by(line: str) -> str:
    found = _BY.fullmatch(line)
    return found[1] or found[2] if found else line


def _credited(line: str) -> str:
    """The name after "by", or of the holder of an old copyright; "" where a line is neither."""
    if found := _OLD_COPYRIGHT.fullmatch(line):
        return found[2] if int(found[1]) < MIDI_YEAR else ""
    return _without_by(line) if _BY.fullmatch(line) else ""


def _of_longest_track(events: Iterable[_Event]) -> list[str]:
    """Texts of the track that has most of them: voices that sing together have the same words."""
    texts: dict[int, list[str]] = {}
    for event in events:
        if not event.text.startswith("@"):
            texts.setdefault(event.track, []).append(event.text)
    return max(texts.values(), key=lambda track: sum(map(len, track)), default=[])


def _karaoke_words(events: list[_Event]) -> list[str]:
    """Syllables of a karaoke file: texts of a track that has a title or a language, or lines that are marked as such."""
    marked = Counter(event.track for event in events if event.text.startswith(tuple(_BREAKS)))
    headed = {event.track for event in events if event.text.startswith(("@T", "@L"))}
    return _of_longest_track(event for event in events if event.track in headed or marked[event.track] > 2)


_BREAKS = {"\\": "\n\n", "/": "\n"}
_TAG = re.compile(r"\{[#@][^{}]{0,200}\}")
_UNSPACED_SCRIPT = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_WORD_GOES_ON = re.compile(r"(?<=\w)- ?\0[ \0]*(?=[^\W\d_])")


def _joined(syllables: list[str]) -> str:
    r"""Lines of words: `\` begins a paragraph, `/` a line; a hyphen ends a syllable that its word goes on after.

    Where hardly a syllable has a space around it, as score editors write them, each is a word of its own.
    """
    texts = [_BREAKS[text[0]] + text[1:] if text[0] in _BREAKS else text for text in syllables]
    n_spaced = sum(text != text.strip(" ") for text in texts if text.strip())
    is_spaced = n_spaced * 10 >= len(texts) or any(map(_UNSPACED_SCRIPT.search, texts))
    text = ("\0" if is_spaced else "\0 ").join(texts).replace("\r\n", "\n").replace("\r", "\n").replace("\u203f", " ")
    text = _WORD_GOES_ON.sub("", _TAG.sub("", text)).replace("\0", "")
    lines = "\n".join(map(_one_line, text.split("\n")))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") if any(map(str.isalpha, lines)) else ""
