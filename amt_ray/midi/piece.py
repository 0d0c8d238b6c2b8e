"""One piece of music as flat arrays: the value that every room hands on.

Conventions: ticks count from 0 with `ticks_per_quarter` to a quarter note; the arrays of notes have one length N and are
sorted by (onset, program, pitch); tempo and metre maps start at tick 0 and are sorted. Programs are General MIDI 0..127,
and `DRUMS` (128) for everything on the percussion channel.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from amt_ray.midi.instruments import DRUMS

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Notes:
    """N notes as parallel int64 arrays; `program` is 0..127 or `DRUMS`."""

    onset_ticks: IntArray
    duration_ticks: IntArray
    pitch: IntArray
    velocity: IntArray
    program: IntArray

    def __len__(self) -> int:
        """Return N."""
        return len(self.onset_ticks)

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Notes:
        """Return the notes at `index` (positions or a mask), in that order."""
        return Notes(
            self.onset_ticks[index],
            self.duration_ticks[index],
            self.pitch[index],
            self.velocity[index],
            self.program[index],
        )


@dataclass(frozen=True, eq=False)
class Piece:
    """Notes, the tempo map (quarter notes a minute), the metre map and the key written in the file, if one is."""

    ticks_per_quarter: int
    notes: Notes
    tempo_ticks: IntArray = field(default_factory=lambda: np.zeros(1, np.int64))
    tempo_bpm: FloatArray = field(default_factory=lambda: np.full(1, 120.0))
    metre_ticks: IntArray = field(default_factory=lambda: np.zeros(1, np.int64))
    metre_numerator: IntArray = field(default_factory=lambda: np.full(1, 4, np.int64))
    metre_denominator: IntArray = field(default_factory=lambda: np.full(1, 4, np.int64))
    key: str | None = None
    """As `"D minor"`, spelled as in `amt_ray.midi.keys.KEYS`."""

    @property
    def end_ticks(self) -> int:
        """Tick at which the last note ends; 0 for a piece without notes."""
        ends = self.notes.onset_ticks + self.notes.duration_ticks
        return int(ends.max(initial=0))

    @property
    def programs(self) -> list[int]:
        """Programs that sound, ascending; `DRUMS` among them if there is percussion."""
        return [int(p) for p in np.unique(self.notes.program)]

    @property
    def has_drums(self) -> bool:
        """Whether anything is on the percussion channel."""
        return bool((self.notes.program == DRUMS).any())

    def seconds_at(self, ticks: npt.ArrayLike) -> FloatArray:
        """Time in seconds of each tick (whole or fractional), by the tempo map (Standard MIDI Files 1.0, set-tempo)."""
        seconds_per_tick = 60.0 / (self.tempo_bpm * self.ticks_per_quarter)
        starts_s = np.concatenate([[0.0], np.cumsum(np.diff(self.tempo_ticks) * seconds_per_tick[:-1])])
        ticks = np.asarray(ticks)
        segment = np.maximum(np.searchsorted(self.tempo_ticks, ticks, side="right") - 1, 0)
        seconds: FloatArray = starts_s[segment] + (ticks - self.tempo_ticks[segment]) * seconds_per_tick[segment]
        return seconds

    def with_finer_ticks(self, factor: int) -> Piece:
        """Return the same music with `factor` times as many ticks to a quarter note."""
        notes = self.notes
        return replace(
            self,
            ticks_per_quarter=self.ticks_per_quarter * factor,
            notes=replace(notes, onset_ticks=notes.onset_ticks * factor, duration_ticks=notes.duration_ticks * factor),
            tempo_ticks=self.tempo_ticks * factor,
            metre_ticks=self.metre_ticks * factor,
        )

    @property
    def duration_s(self) -> float:
        """Seconds from tick 0 to the end of the last note."""
        return float(self.seconds_at(self.end_ticks))
