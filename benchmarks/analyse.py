"""How much of what labelled texts say the text analysis reads, field by field.

    python benchmarks/analyse.py [FILE.jsonl] [--errors]

Each line of FILE has a `text`, its `labels`, and perhaps `also_ok`: other values that are right (see the file of our own
prompts, `tests/text/prompts.jsonl`, which is the default). What counts:

- instruments, excluded: precision, recall and F1; one that was named is right if it has a program that the label's word has;
- key, metre, bars, texture, chords: equal where labelled;
- tempo: the labelled BPM within 1 %, or a range whose middle lies in the labelled one;
- genre and mood: a labelled one (or one that `also_ok` allows) among the first two and the first three that were found;
- exclusive: right on every text.

Last line: one JSON object with the shares.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import TextAnalysis

PROMPTS = Path(__file__).parents[1] / "tests" / "text" / "prompts.jsonl"
POLYPHONY = {"monophonic": "mono", "homophonic": "homo", "polyphonic": "poly"}


def allowed(case: Mapping[str, Any], field: str) -> list[Any]:
    """What is right for a field: its label, or values of a list, and what may stand instead."""
    label, others = case["labels"].get(field), (case.get("also_ok") or {}).get(field, [])
    labels = label if isinstance(label, list) and field in {"genres", "moods"} else [label]
    return [value for value in [*labels, *others] if value is not None]


def programs(name: str) -> set[int]:
    """Programs that a label's word means."""
    return {program for mention in analyse(name).instruments for program in mention.programs}


def count_instruments(found: Sequence[Any], case: Mapping[str, Any], field: str) -> Counter[str]:
    """True and false positives, and labels that were missed; found ones that `also_ok` names count as neither."""
    wanted = {name: programs(name) for name in case["labels"].get(field) or []}
    tolerated = [programs(name) for name in (case.get("also_ok") or {}).get(field, [])]
    counts: Counter[str] = Counter()
    missed = dict(wanted)
    for mention in found:
        hits = [name for name, accepted in wanted.items() if accepted & set(mention.programs)]
        for name in hits:
            missed.pop(name, None)
        if hits or not any(accepted & set(mention.programs) for accepted in tolerated):
            counts["right" if hits else "wrong"] += 1
    counts["missed"] = len(missed)
    return counts


def is_tempo_right(analysis: TextAnalysis, case: Mapping[str, Any]) -> bool:
    """Whether the labelled BPM was read, or a range about the labelled one."""
    figures = [bpm for bpm in allowed(case, "tempo_bpm") if bpm]
    if figures:
        return any(analysis.tempo_bpm is not None and abs(analysis.tempo_bpm / bpm - 1) <= 0.01 for bpm in figures)
    low, high = analysis.tempo_range_bpm or (analysis.tempo_bpm or 0.0,) * 2
    return any(lowest <= (low + high) / 2 <= highest for lowest, highest in allowed(case, "tempo_range_bpm"))


def is_label_among(found: Sequence[Any], first: int, words: Sequence[str], kind: str) -> bool:
    """Whether one of the first labels by confidence is one of the words, or what the lexicon makes of them."""
    top = {label.name for label in sorted(found, key=lambda label: -label.confidence)[:first]}
    meant = {label.name for word in words for label in getattr(analyse(word), kind)}
    return bool(top & ({*words} | meant))


def judged(case: Mapping[str, Any]) -> dict[str, bool]:
    """For each field that is labelled, whether it was read right."""
    labels, analysis = case["labels"], analyse(case["text"])
    verdicts = {"exclusive": analysis.instruments_exclusive in (allowed(case, "instruments_exclusive") or [False])}
    for field, value in (
        ("key", analysis.key),
        ("time_signature", analysis.time_signature),
        ("bars", analysis.bars),
        ("polyphony", analysis.polyphony),
        ("chords", list(analysis.chords)),
    ):
        if labels.get(field):
            verdicts[field] = value in [POLYPHONY.get(str(right), right) for right in allowed(case, field)]
    if labels.get("tempo_bpm") or labels.get("tempo_range_bpm"):
        verdicts["tempo"] = is_tempo_right(analysis, case)
    if labels.get("genres"):
        verdicts["genre in 2"] = is_label_among(analysis.genres, 2, allowed(case, "genres"), "genres")
    if labels.get("moods"):
        verdicts["mood in 3"] = is_label_among(analysis.moods, 3, allowed(case, "moods"), "moods")
    return verdicts


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", default=PROMPTS)
    parser.add_argument("--errors", action="store_true", help="print the texts that were read wrongly, by field")
    options = parser.parse_args()
    cases = [json.loads(line) for line in options.file.read_text(encoding="utf-8").splitlines() if line.strip()]
    verdicts = [judged(case) for case in cases]
    print(f"{len(cases)} texts of {options.file.name}\n\n{'':16}{'labelled':>10}{'right':>8}")
    shares: dict[str, float] = {}
    for field in dict.fromkeys(field for verdict in verdicts for field in verdict):
        those = [verdict[field] for verdict in verdicts if field in verdict]
        shares[field] = round(sum(those) / len(those), 3)
        print(f"{field:16}{len(those):>10}{shares[field]:>8.1%}")
    print(f"\n{'':16}{'right':>8}{'wrong':>8}{'missed':>8}{'F1':>8}")
    for field in ("instruments", "excluded_instruments"):
        total: Counter[str] = Counter()
        for case in cases:
            total += count_instruments(getattr(analyse(case["text"]), field), case, field)
        f1 = 2 * total["right"] / max(2 * total["right"] + total["wrong"] + total["missed"], 1)
        shares[field] = round(f1, 3)
        print(f"{field.removesuffix('_instruments'):16}{total['right']:>8}{total['wrong']:>8}{total['missed']:>8}{f1:>8.1%}")
    for case, verdict in zip(cases, verdicts, strict=True) if options.errors else ():
        for field in (field for field, right in verdict.items() if not right):
            print(f"\n{field}: {case['text']}\n  {case['labels']}")
    print()
    print(json.dumps({"benchmark": "analyse", "texts": len(cases), **shares}))


if __name__ == "__main__":
    main()
