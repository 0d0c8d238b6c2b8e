"""In which order the bars of a score are played: repeats, first and second endings, D.C. and D.S. al Fine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class BarSigns:
    """What one bar says about the order of playing."""

    begins_repeat: bool = False
    ends_repeat: bool = False
    endings: frozenset[int] = frozenset()
    """The turns (1, 2, ...) on which a bar under a bracket is played; none for a bar that always is."""
    is_segno: bool = False
    is_fine: bool = False
    returns: bool = False
    """At its end, back to the segno, or the beginning where there is none: D.S. or D.C."""


def played_order(signs: Sequence[BarSigns]) -> list[int]:
    """Return the indices of the bars in the order in which they are played; each bar's signs in written order.

    A repeat without a beginning goes back to the end of the one before. D.C. and D.S. are followed where some bar says
    Fine, once, and the repeats are then not taken again. Codas are played through.
    """
    order: list[int] = []
    i, begin, turn = 0, 0, 1
    last_turn = max((number for s in signs for number in s.endings), default=2)
    has_fine, has_returned = any(s.is_fine for s in signs), False
    while i < len(signs):
        here = signs[i]
        follows_ending = i > 0 and bool(signs[i - 1].endings) and not here.endings
        if i != begin and (here.begins_repeat or follows_ending):
            begin, turn = i, 1
        if here.endings and (last_turn if has_returned else turn) not in here.endings:
            i += 1
            continue
        order.append(i)
        if has_returned and here.is_fine:
            break
        i += 1
        if here.returns and has_fine and not has_returned:
            has_returned, begin = True, 0
            i = next((j for j, s in enumerate(signs) if s.is_segno), 0)
        elif here.ends_repeat and not has_returned:
            later = signs[i].endings if i < len(signs) else frozenset()
            times = max({2} | here.endings | later)
            i, begin, turn = (begin, begin, turn + 1) if turn < times else (i, i, 1)
    return order
