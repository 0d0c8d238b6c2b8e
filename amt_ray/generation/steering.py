"""What the mask enforces of a plan, beyond the grammar: metre, tempo, instruments, length, a single voice, a good end.

Enforcement looks at one step at a time and always leaves at least one event that the grammar allows; what it cannot hold
within the events that are left (16 instruments in one bar) shows in the take's checks.
"""

from __future__ import annotations

import numpy as np

from amt_ray.events.controls import Controls
from amt_ray.events.grammar import START, Mask, State, allowed, follow
from amt_ray.events.quantise import nearest_tempo
from amt_ray.events.vocabulary import (
    BAR,
    BAR_UNITS,
    DRUM,
    DURATION,
    DURATION_UNITS,
    EOS,
    MORE,
    PITCH,
    POSITION,
    PROGRAM,
    TEMPO,
    TIME_SIGNATURE,
)
from amt_ray.midi.piece import FloatArray

NOTE_TOKENS = 5
"""POSITION, PROGRAM, PITCH, VELOCITY, DURATION."""
FEWEST_TOKENS = 3 + NOTE_TOKENS + 1
"""BAR, TIME_SIGNATURE, TEMPO, one note, EOS: what any piece takes after its controls."""
REST_BARS = 2
"""An instrument that was asked for never pauses for more than a bar: small models forget who plays."""
FEWEST_BARS = 8
"""A piece of no stated length does not end sooner."""


class Steering:
    """One sequence on its way: its grammar state and what the plan still asks of it."""

    def __init__(self, controls: Controls, excluded_programs: tuple[int, ...], max_tokens: int) -> None:
        self.controls = controls
        self.tokens_left = max_tokens
        self.state: State = START
        self._last_bar_of = dict.fromkeys(controls.programs, 0)
        self._program_mask = np.ones(PROGRAM.size, bool)
        if controls.programs:
            self._program_mask[:] = False
            self._program_mask[list(controls.programs)] = True
        elif excluded_programs and len(excluded_programs) < PROGRAM.size:
            self._program_mask[list(excluded_programs)] = False
        self._bar_start_units = 0
        self._sounds_until_units = 0
        self._tokens_in_bar = 0
        self._bar_budget = max_tokens

    def push(self, event_id: int) -> None:
        """Take note of an event that `mask` allowed, or of one of the prompt."""
        before = self.state
        if event_id == BAR:
            self._bar_start_units += self._bar_units() if before.bars else 0
            self._tokens_in_bar = 0
            bars_left = max(1, (self.controls.bars or 1) - before.bars)
            self._bar_budget = self.tokens_left // bars_left
        elif before.bars and event_id in DURATION:
            if (program := before.program_id - PROGRAM.start) in self._last_bar_of:
                self._last_bar_of[program] = before.bars
            onset = self._bar_start_units + before.position_id - POSITION.start
            end = onset + int(DURATION_UNITS[event_id - DURATION.start])
            self._sounds_until_units = max(self._sounds_until_units, end)
        self.state = follow(before, event_id)
        self.tokens_left -= 1
        self._tokens_in_bar += 1

    def mask(self) -> Mask:
        """Which events may come next, bool[512]; never empty."""
        mask = allowed(self.state)
        mask[MORE] = False
        if self.state.last in ("BOS", "CONTROL"):
            self._steer_controls(mask)
        if self.state.last == "POSITION":
            return self._narrowed(mask, self._programs())
        if self.state.last in ("BAR", "TIME_SIGNATURE", "TEMPO", "DURATION"):
            self._steer_bar(mask)
        return mask

    def end_logit(self, logits_V: FloatArray) -> FloatArray:
        """In the last bar, give the end the model's whole wish to leave the bar: the next BAR, and MORE, count for EOS."""
        if not self._is_last_bar or self.state.last != "DURATION":
            return logits_V
        merged = logits_V.copy()
        merged[EOS] = np.logaddexp.reduce(logits_V[[EOS, BAR, MORE]])
        return merged

    @property
    def _missing(self) -> bool:
        """Whether an instrument that was asked for has not been heard at all."""
        return not all(self._last_bar_of.values())

    def _programs(self) -> Mask:
        """Of the instruments silent for `REST_BARS` (in a piece of one bar: for one) the longest silent come first."""
        rest = min(REST_BARS, self.controls.bars or REST_BARS)
        longest_ago = min([self.state.bars - rest, *self._last_bar_of.values()])
        due = [program for program, last in self._last_bar_of.items() if last == longest_ago <= self.state.bars - rest]
        wanted = np.zeros_like(allowed(START))
        wanted[PROGRAM.ids] = self._program_mask
        if due:
            wanted[PROGRAM.ids] = False
            wanted[[PROGRAM.start + program for program in due]] = True
        return wanted

    def _steer_controls(self, mask: Mask) -> None:
        """The model may plan what is not asked for, but no instrument against the plan, and it leaves room for music."""
        mask[PROGRAM.ids] &= self._program_mask
        if self.tokens_left <= FEWEST_TOKENS:
            self._only(mask, BAR)

    def _steer_bar(self, mask: Mask) -> None:
        if self.state.last == "DURATION":
            mask[PROGRAM.ids] &= self._program_mask
        self._hold(mask, TIME_SIGNATURE.ids, self._wanted_metre())
        self._hold(mask, TEMPO.ids, self._wanted_tempo())
        if self.controls.polyphony == "mono":
            self._one_voice(mask)
        can_sound = bool(mask[POSITION.ids].any())
        if self.state.position_id < 0 and can_sound:
            mask[BAR] = False
        self._lengths(mask, can_sound)

    def _lengths(self, mask: Mask, can_sound: bool) -> None:
        """Decide whether the piece may end here, must end here, or must go on to the next bar."""
        if not mask[EOS]:
            return
        bars, wanted = self.state.bars, self.controls.bars
        if self.tokens_left <= NOTE_TOKENS + 1:
            self._only(mask, EOS)
            return
        is_last = self._is_last_bar
        if is_last:
            mask[BAR] = False
        may_end = (is_last or (wanted is None and bars >= FEWEST_BARS)) and not (self._missing and (can_sound or mask[BAR]))
        mask[EOS] = (may_end and self.state.position_id >= 0) or not (mask[BAR] or can_sound)
        bar_is_full = self._tokens_in_bar + NOTE_TOKENS + 1 > self._bar_budget and self.state.position_id >= 0
        if wanted is not None and bar_is_full and not self._missing:
            self._only(mask, EOS if is_last else BAR)

    @property
    def _is_last_bar(self) -> bool:
        """The bar asked for as the last, or else the one after which another like it would not fit."""
        wanted = self.controls.bars
        return self.state.bars == wanted if wanted is not None else self._tokens_in_bar * 1.5 > self.tokens_left

    def _one_voice(self, mask: Mask) -> None:
        mask[PITCH.ids] = mask[DRUM.ids] = mask[PROGRAM.ids] = False
        busy = self._sounds_until_units - self._bar_start_units
        mask[POSITION.start : POSITION.start + max(0, min(busy, POSITION.size))] = False

    def _wanted_metre(self) -> int | None:
        """The metre asked for, or the one that the piece began with: clean bars are worth more than a tiny model's whims."""
        metre = self.controls.time_signature
        began_with = self.state.metre_id if self.state.metre_id >= 0 else None
        return began_with if metre is None else TIME_SIGNATURE.start + TIME_SIGNATURE.names.index(metre)

    def _wanted_tempo(self) -> int | None:
        """The tempo asked for, or the one that the piece began with."""
        tempo = self.controls.tempo_bpm
        began_with = self.state.tempo_id if self.state.tempo_id >= 0 else None
        return began_with if tempo is None else TEMPO.start + int(nearest_tempo(np.array(tempo)))

    def _bar_units(self) -> int:
        return int(BAR_UNITS[self.state.metre_id - TIME_SIGNATURE.start])

    @staticmethod
    def _hold(mask: Mask, block: slice, wanted_id: int | None) -> None:
        """Allow only the wanted event of a block, where the grammar allows it."""
        if wanted_id is not None:
            allowed_there = mask[wanted_id]
            mask[block] = False
            mask[wanted_id] = allowed_there

    @staticmethod
    def _only(mask: Mask, event_id: int) -> None:
        mask[:] = False
        mask[event_id] = True

    @staticmethod
    def _narrowed(mask: Mask, wanted: Mask) -> Mask:
        both = mask & wanted
        return both if both.any() else mask
