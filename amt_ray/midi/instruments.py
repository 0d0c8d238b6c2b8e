"""General MIDI Level 1 sound set (MMA, 1991): program numbers 0..127, their names in plain words, their 16 families."""

from __future__ import annotations

DRUMS = 128
"""The program number that stands for the percussion channel (channel 10 in the standard)."""
N_PROGRAMS = 129

# Eight programs to a family, in the standard's order.
_SOUND_SET = {
    "piano": "piano, bright piano, electric grand piano, honky-tonk piano, electric piano, FM electric piano, "
    "harpsichord, clavinet",
    "chromatic percussion": "celesta, glockenspiel, music box, vibraphone, marimba, xylophone, tubular bells, dulcimer",
    "organ": "drawbar organ, percussive organ, rock organ, church organ, reed organ, accordion, harmonica, bandoneon",
    "guitar": "nylon-string guitar, steel-string guitar, jazz guitar, clean electric guitar, muted electric guitar, "
    "overdriven guitar, distorted guitar, guitar harmonics",
    "bass": "acoustic bass, electric bass, picked electric bass, fretless bass, slap bass, funk slap bass, synth bass, "
    "warm synth bass",
    "strings": "violin, viola, cello, double bass, tremolo strings, pizzicato strings, harp, timpani",
    "ensemble": "string ensemble, slow string ensemble, synth strings, warm synth strings, choir, voice, synth voice, "
    "orchestra hit",
    "brass": "trumpet, trombone, tuba, muted trumpet, French horn, brass section, synth brass, warm synth brass",
    "reed": "soprano saxophone, alto saxophone, tenor saxophone, baritone saxophone, oboe, English horn, bassoon, clarinet",
    "pipe": "piccolo, flute, recorder, pan flute, blown bottle, shakuhachi, whistle, ocarina",
    "synth lead": "square lead, sawtooth lead, calliope lead, chiff lead, charang lead, voice lead, fifths lead, "
    "bass and lead",
    "synth pad": "new-age pad, warm pad, polysynth pad, choir pad, bowed pad, metallic pad, halo pad, sweep pad",
    "synth effects": "rain effect, soundtrack effect, crystal effect, atmosphere effect, brightness effect, goblins effect, "
    "echoes effect, sci-fi effect",
    "ethnic": "sitar, banjo, shamisen, koto, kalimba, bagpipe, fiddle, shanai",
    "percussive": "tinkle bell, agogo, steel drums, woodblock, taiko drum, melodic tom, synth drum, reverse cymbal",
    "sound effects": "guitar fret noise, breath noise, seashore, bird tweet, telephone ring, helicopter, applause, gunshot",
}

FAMILIES: tuple[str, ...] = tuple(_SOUND_SET)
INSTRUMENTS: tuple[str, ...] = (*(name for names in _SOUND_SET.values() for name in names.split(", ")), "drums")
"""Plain English names by program, with "drums" at `DRUMS`."""
assert len(INSTRUMENTS) == N_PROGRAMS


def family_of(program: int) -> str:
    """Return the General MIDI family of a program 0..127, or "drums"."""
    return "drums" if program == DRUMS else FAMILIES[program // 8]
