"""Which requests a finished piece met, measured on the piece and not on the intention."""

from __future__ import annotations

from dataclasses import dataclass

from amt_ray.generation.request import Plan
from amt_ray.midi.features import measure
from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.midi.piece import Piece

TEMPO_TOLERANCE = 0.05
"""Half a step of the event language's tempi, and a little."""


@dataclass(frozen=True)
class Check:
    """One request: its name, what was asked, what the piece has, and whether that is it."""

    name: str
    asked: str
    got: str
    is_met: bool


def check_requests(plan: Plan, piece: Piece, n_bars: int) -> tuple[Check, ...]:
    """Compare a piece with everything checkable in a plan. Genre, mood and style are not checkable here.

    `n_bars` counts the bars that notes begin in; the last note may sound beyond them.
    """
    asked, features = plan.controls, measure(piece)
    checks: list[Check] = []

    def add(name: str, asked_for: object, got: object, is_met: bool) -> None:
        checks.append(Check(name, str(asked_for), str(got), is_met))

    for program in asked.programs:
        sounds = program in features.programs
        add("instrument", INSTRUMENTS[program], "sounds" if sounds else "absent", sounds)
    if asked.programs:
        others = [INSTRUMENTS[p] for p in features.programs if p not in asked.programs]
        add("no other instrument", "none", ", ".join(others) or "none", not others)
    for program in plan.excluded_programs:
        if program in features.programs:
            add("without", INSTRUMENTS[program], "sounds", False)
    if asked.key is not None:
        add("key signature", asked.key, piece.key, piece.key == asked.key)
    if asked.time_signature is not None:
        add("metre", asked.time_signature, features.time_signature, features.time_signature == asked.time_signature)
    if asked.tempo_bpm is not None:
        is_near = abs(features.tempo_bpm / asked.tempo_bpm - 1) <= TEMPO_TOLERANCE
        add("tempo", f"{asked.tempo_bpm:.0f} bpm", f"{features.tempo_bpm:.0f} bpm", is_near)
    if asked.polyphony == "mono":
        add("polyphony", "mono", features.polyphony, features.polyphony == "mono")
    if asked.bars is not None:
        add("bars", asked.bars, n_bars, n_bars == asked.bars)
    return tuple(checks)
