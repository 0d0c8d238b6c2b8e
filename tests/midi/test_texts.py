import io
import random
import unicodedata

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import compose

from amt_ray.midi.texts import MOST_EVENTS, FileTexts, read_texts
from amt_ray.midi.write import write_midi

NOTES = [mido.Message("note_on", note=60, time=9), mido.Message("note_off", note=60, time=9)]


def file_of(*tracks, charset="utf-8"):
    """A MIDI file of tracks, each a list of (type, text) or of messages."""
    file = mido.MidiFile(charset=charset)
    for events in tracks:
        file.tracks.append(mido.MidiTrack(meta(*event) if isinstance(event, tuple) else event for event in events))
    written = io.BytesIO()
    file.save(file=written)
    return written.getvalue()


def meta(kind, text):
    return mido.MetaMessage(kind, **{"name" if kind == "track_name" else "text": text}, time=len(text) % 300)


def title_of(name):
    return read_texts(file_of([("track_name", name)], NOTES)).title


def artist_of(*events):
    return read_texts(file_of(events, NOTES)).artist


def lyrics_of(*syllables, charset="utf-8"):
    return read_texts(file_of(NOTES, [("lyrics", text) for text in syllables], charset=charset)).lyrics


KARAOKE = [
    [("track_name", "Soft karaoke"), ("text", "@KMIDI KARAOKE FILE"), ("text", "@V0100"), ("text", "@IBy Joe Filer")],
    [("track_name", "Words"), ("text", "@LENGL"), ("text", "@TRain"), ("text", "@TAda Quaver"), ("text", "@TA filer")]
    + [("text", text) for text in ("\\Fal", "ling ", "rain", "/on ", "the ", "ri-", "ver", "\\And ", "on ", "me")],
    NOTES,
]


def test_a_karaoke_file():
    assert read_texts(file_of(*KARAOKE)) == FileTexts("Rain", "Ada Quaver", "", "Falling rain\non the river\n\nAnd on me")


def test_a_karaoke_file_of_one_track():
    assert read_texts(file_of(KARAOKE[0] + KARAOKE[1] + NOTES)) == read_texts(file_of(*KARAOKE))


def test_karaoke_words_without_lines():
    words = [("text", text) for text in ("@LENGL", "Fal", "ling ", "rain")]
    assert read_texts(file_of(NOTES, words)).lyrics == "Falling rain"


def test_karaoke_words_are_no_credits():
    words = [("text", text) for text in ("@LENGL", "By Ada", " I ", "wait")]
    assert read_texts(file_of(words, NOTES)) == FileTexts(lyrics="By Ada I wait")


def test_karaoke_words_without_headings():
    words = [("text", text) for text in ("\\One ", "day", "/two ", "days", "/three ", "days")]
    assert read_texts(file_of(NOTES, words)).lyrics == "One day\ntwo days\nthree days"
    assert read_texts(file_of(NOTES, words[:4])).lyrics == ""


@pytest.mark.parametrize(
    "name",
    ["Dancing Queen", "12. About The Summer", "Für Elise", "Flute Sonata", "Piano Man", "Overture", "Свѣте Тихій", "夜の歌"],
)
def test_a_first_track_s_name_that_is_a_title(name):
    assert title_of(f" {name.replace(' ', '  ')}\0") == name


NO_TITLES = """
Piano|Acoustic Grand Piano|Track 1|untitled|Instrument 3|MIDI|Violin I|2nd Violin|Lead Gtr 2|Drums|Choir Aahs|Bass Drum
Tempo Track|Soft Karaoke|control track:|one:|seq_01|ALT_100A|song.mid|C:\\MIDI\\x|12 - 3|R.H.|www.songs.example
Sequenced by Joe|me@home|Copyright 1999|created by LilyPond|Cakewalk
"""


@pytest.mark.parametrize("name", ["", " ", "x" * 101, *NO_TITLES.strip().replace("\n", "|").split("|")])
def test_a_first_track_s_name_that_is_no_title(name):
    assert title_of(name) == ""


def test_later_names_and_those_of_other_tracks_are_no_titles():
    names = [("track_name", "Piano"), ("track_name", "Dancing Queen")]
    assert read_texts(file_of(names, NOTES)).title == ""
    assert read_texts(file_of(NOTES, names[1:])).title == ""


@pytest.mark.parametrize(
    ("event", "artist"),
    [
        (("text", "by Ada Quaver"), "Ada Quaver"),
        (("text", "Music by Ludwig van Beethoven"), "Ludwig van Beethoven"),
        (("text", "Composed by: Ada & The Quavers"), "Ada & The Quavers"),
        (("text", "Artist: ABBA"), "ABBA"),
        (("copyright", "Copyright © 1976 ABBA"), "ABBA"),
        (("copyright", "(c) 1976 by Ada Quaver. All Rights Reserved"), "Ada Quaver"),
        (("copyright", "Copyright (C) 1998 Joe Filer"), ""),
        (("copyright", "© 1976 Quaver Music Publishing"), ""),
        (("copyright", "© 1976 Ada Quaver, Ben Crotchet"), ""),
        (("copyright", "Copyright © 1976 <Name>"), ""),
        (("copyright", "ABBA"), ""),
        (("text", "By <Name>"), ""),
        (("text", "by the river"), ""),
        (("text", "by Unknown Artist"), ""),
        (("text", "Sequenced by Joe Filer"), ""),
        (("text", "Stand By Me"), ""),
        (("text", "by One Two Three Four Five Six Seven"), ""),
        (("lyrics", "by Ada Quaver"), ""),
    ],
)
def test_the_artist_is_only_what_is_clearly_a_name(event, artist):
    assert artist_of(event) == artist


def test_the_artist_is_named_in_the_first_track():
    assert read_texts(file_of(NOTES, [("text", "by Ada Quaver")])).artist == ""


def test_copyright_notices_are_lines_each_once():
    notices = [("copyright", text) for text in ("© 2001 A. Quaver", "All  rights\r\nreserved ", "© 2001 A. Quaver", " ")]
    assert read_texts(file_of(notices, NOTES)).copyright == "© 2001 A. Quaver\nAll rights reserved"


@pytest.mark.parametrize(
    ("syllables", "lyrics"),
    [
        (["Fal", "ling ", "rain ", "on ", "me"], "Falling rain on me"),
        (["Fal", "ling", " rain", " on", " me"], "Falling rain on me"),
        (["Fal-", "ling ", "rain ", "on\r", "me"], "Falling rain on\nme"),
        (["Fal- ", "ling ", "rain\r\n", "on ", "me"], "Falling rain\non me"),
        (["Fal-", "ling", "rain", "on", " ", "me"], "Falling rain on me"),
        (["Rock-and-roll ", "- ", "ever", "/on"], "Rock-and-roll - ever\non"),
        (["and/or ", "not"], "and/or not"),
        (["te\u203fe ", "gior", "no"], "te e giorno"),
        (["{@LATIN}", "{#Title=Rain}", "Fal", "ling ", "rain"], "Falling rain"),
        (["@TRain", "Fal", "ling ", "rain"], "Falling rain"),
        (["/a ", "/b", "/", "/", "/", "/c"], "a\nb\n\nc"),
        (["よ", "る", "の", "うた"], "よるのうた"),
        (["1", "2", "3"], ""),
        ([], ""),
    ],
)
def test_syllables_become_lines_of_words(syllables, lyrics):
    assert lyrics_of(*syllables) == lyrics


def test_voices_that_sing_together_have_their_words_once():
    voices = [[("lyrics", text) for text in words.split()] for words in ("la la la", "Ga lop ing home", "la")]
    assert read_texts(file_of(NOTES, *voices)).lyrics == "Ga lop ing home"


@pytest.mark.parametrize(
    ("charset", "title"),
    [
        ("utf-8", "Träne – ñ"),
        ("cp1252", "Träne – ñ “x”"),
        ("latin-1", "Garçon"),
        ("cp932", "さくらの歌"),
        ("cp932", "カラス と 花"),
    ],
)
def test_encodings(charset, title):
    assert read_texts(file_of([("track_name", title)], NOTES, charset=charset)).title == title


def test_each_text_may_have_its_own_encoding():
    data = file_of([("track_name", "Tr\xe4\x81ne")], [("lyrics", "夜".encode().decode("latin-1"))], charset="latin-1")
    assert (read_texts(data).title, read_texts(data).lyrics) == ("Träne", "夜")


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=300)
channel_events = st.one_of(
    st.builds(mido.Message, st.just("note_on"), note=st.integers(0, 127), time=st.integers(0, 16_000)),
    st.builds(mido.Message, st.just("pitchwheel"), pitch=st.integers(-8192, 8191), time=st.integers(0, 300)),
    st.builds(mido.Message, st.just("sysex"), data=st.lists(st.integers(0, 127), max_size=40)),
    st.builds(mido.MetaMessage, st.just("set_tempo"), tempo=st.integers(0, 0xFFFFFF), time=st.integers(0, 300)),
)


@given(st.lists(st.lists(st.one_of(texts, channel_events), max_size=12), max_size=4))
def test_every_text_that_mido_writes_is_found(tracks):
    as_notices = [[("copyright", event) if isinstance(event, str) else event for event in track] for track in tracks]
    expected = [" ".join(event.split()) for track in tracks for event in track if isinstance(event, str)]
    shown = [text for text in (text.replace("\ufeff", "").replace("\ufffd", "") for text in expected) if text]
    assert read_texts(file_of(*as_notices)).copyright == "\n".join(dict.fromkeys(" ".join(text.split()) for text in shown))


@pytest.mark.parametrize("length", [1, 127, 128, 129, 3000, 16_383])
def test_a_text_of_any_length_below_16_kib_is_found(length):
    notice = "© 1976" + "x" * (length - 7) if length > 6 else "x" * length
    assert read_texts(file_of(NOTES, [("copyright", notice)])).copyright == notice
    assert read_texts(file_of(NOTES, [("copyright", "x" * 16_384)])).copyright == ""


LIKE_A_LYRIC = b"\xff\x05\x03abc"


@pytest.mark.parametrize(
    ("data", "lyrics"),
    [
        (b"\0" + LIKE_A_LYRIC + b"\0\x90", "abc"),
        (b"\x80" + LIKE_A_LYRIC + b"\0\x90", ""),
        (b"\0" + LIKE_A_LYRIC + b"\0\x40", ""),
        (b"\0" + LIKE_A_LYRIC + b"\x90\x90\x90\x90\0\x90", ""),
        (b"\0" + LIKE_A_LYRIC.replace(b"b", b"\2") + b"\0\x90", ""),
        (b"\0" + LIKE_A_LYRIC.replace(b"b", b"\0") + b"\0\x90", ""),
    ],
)
def test_what_looks_like_a_text_within_another_event(data, lyrics):
    other = mido.MetaMessage("sequencer_specific", data=tuple(data))
    assert read_texts(file_of([*NOTES, other, *NOTES])).lyrics == lyrics


def test_a_text_may_end_the_data_but_not_go_beyond():
    data = b"MTrk\0\0\0\xff\0" + LIKE_A_LYRIC
    assert read_texts(data).lyrics == "abc"
    assert read_texts(data[:-1]).lyrics == ""


def test_a_text_is_found_after_one_that_ends_in_its_first_byte():
    data = b"MTrk\0\0\0\xff\0\xff\2\2a\xff\2\xff\2\1b\0\xff"
    assert read_texts(data).copyright == "aÿ\nb"


def test_music_alone_says_nothing():
    long_delays = [message.copy(time=16_256 + i % 8) for i in range(400) for message in NOTES]
    assert read_texts(file_of(long_delays)) == FileTexts()


def test_a_file_of_ours_names_its_instruments_only():
    assert read_texts(write_midi(compose(2))) == FileTexts()


def test_texts_are_found_in_damaged_and_wrapped_files():
    whole = file_of(*KARAOKE)
    expected = read_texts(whole)
    assert read_texts(b"RIFF1234RMID" + whole) == expected
    assert read_texts(whole[:-10]) == expected
    assert read_texts(whole.replace(b"MThd", b"XXXX")) == expected
    size = whole.rindex(b"MTrk") + 4
    assert read_texts(whole[:size] + b"\x7f\xff\xff\xff" + whole[size + 4 :]) == expected


def assert_is_clean(found):
    for text in (found.title, found.artist, found.copyright, found.lyrics):
        assert not any(unicodedata.category(char) == "Cc" for char in text.replace("\n", ""))
    assert "\n" not in found.title + found.artist


@given(st.binary(max_size=400))
def test_any_bytes_can_be_read(data):
    assert_is_clean(read_texts(data))
    assert_is_clean(read_texts(b"MTrk\x00\x00\x00\xff" + data))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=30), st.integers(0, 10**6))
def test_damaged_bytes_can_be_read(changes, end):
    data = bytearray(file_of(*KARAOKE))
    for at, value in changes:
        data[at % len(data)] = value
    assert_is_clean(read_texts(bytes(data[: end % (2 * len(data))])))


HOSTILE = {
    "empty texts": b"\0\xff\5\0",
    "texts in texts": b"\0\xff\5\xff\x7f",
    "spaces": b"\0\xff\5\xff\x7f" + b" " * 16_383,
    "commas": b"\0\xff\2\xff\x7f" + b", ." * 5461,
    "zeros": b"\0\xff\5\xff\x7f" * 50 + b"\0" * 9000,
    "tags": b"\0\xff\5\xff\x7f" + b"{#" * 8191 + b"{",
    "lines": b"\0\xff\1\3/-a",
    "hyphens": b"\0\xff\5\2a-",
    "tracks": b"MTrk\0\0\0\0",
    "no events": b"\xff",
    "noise": random.Random(0).randbytes(2**20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_take_linear_time(name):
    begin = b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\x7f\xff\xff\xff"
    assert_is_clean(read_texts(begin + HOSTILE[name] * (2**20 // len(HOSTILE[name]))))


def test_texts_beyond_the_most_are_left_out():
    assert len(lyrics_of(*["la "] * (MOST_EVENTS + 5)).split()) == MOST_EVENTS
