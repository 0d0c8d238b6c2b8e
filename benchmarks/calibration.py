"""Whether a confidence of 0.8 is right about 8 times in 10: moods and genres by words, by the sentence encoder, by both.

    python benchmarks/calibration.py [FILE.jsonl] [--picture FILE.png] [--fit]

A line of FILE has a `text` with `labels` and `also_ok`, as our own prompts do (the default), or a `caption` with an
`aspect_list`, as MusicCaps does; of aspects, the lexicon's labels count. What is judged, of the closed lists:

- words: the labels that `analyse` finds. Where people named no label of the kind, none counts as right;
- encoder: every label of the texts whose words name none of the kind, for these are the ones that it is asked about;
- both: what `heard` makes of the analysis of the whole text.

`--fit` fits the encoder's calibration to FILE, writes it to the lexicons, and judges the encoder by five-fold
cross-validation, each text by numbers that were fitted without it. Last line: one JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import amt_ray.text
from amt_ray.text.analyse import analyse
from amt_ray.text.analysis import TextAnalysis
from amt_ray.text.calibration import Calibration, FloatArray, brier_score, calibration_error, margins, reliability
from amt_ray.text.clean import tokenize
from amt_ray.text.embed import DEFAULT_ENCODER, TextEncoder
from amt_ray.text.lexicon import find
from amt_ray.text.lexicon_files import read_rows
from amt_ray.text.zero_shot import LABELS, NAMED, Heard, Vectors, ZeroShot, heard

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

PROMPTS = Path(__file__).parents[1] / "tests" / "text" / "prompts.jsonl"
NUMBERS = Path(amt_ray.text.__file__).parent / "lexicons" / "calibration.csv"
FIRST: dict[Heard, int] = {"mood": 3, "genre": 2}
USES_MARGIN: dict[Heard, bool] = {"mood": False, "genre": True}
"""The margin sharpens genres; of moods it makes too much on texts of another sort than those it was fitted to."""
LEAST_ASPECT = 0.5
COLOURS = {"words": "#332288", "encoder": "#CC6677", "both": "#117733"}
N_FOLDS = 5
FEWEST_DRAWN = 20
"""Bins of fewer judgements show among the counts only: their share right is chance."""


@dataclass(frozen=True)
class Case:
    """A text, and by kind the labels that are right."""

    text: str
    right: dict[Heard, frozenset[str]]


@dataclass(frozen=True)
class Judged:
    """Confidences of one source and whether each was right."""

    confidences: Sequence[float]
    is_right: Sequence[bool]


@dataclass(frozen=True)
class Scores:
    """Of one kind: scores without the known words and with them, and what is right, [B, L]; where words name none, [B]."""

    hidden: FloatArray
    whole: FloatArray
    right: BoolArray
    is_silent: BoolArray


def read_case(row: dict[str, Any]) -> Case:
    """A line of the file as a case."""
    if "aspect_list" in row:
        found = [analyse(aspect) for aspect in row["aspect_list"]]
        return Case(row["caption"], {kind: names(found, kind, LEAST_ASPECT) for kind in LABELS})
    right: dict[Heard, frozenset[str]] = {}
    for kind in LABELS:
        words = [*(row["labels"].get(f"{kind}s") or []), *((row.get("also_ok") or {}).get(f"{kind}s") or [])]
        right[kind] = frozenset(words) & {*LABELS[kind]} | names(map(analyse, words), kind, LEAST_ASPECT)
    return Case(row["text"], right)


def names(analyses: Iterable[TextAnalysis], kind: Heard, least: float) -> frozenset[str]:
    """Labels of the closed list that were found with some confidence."""
    labels = (label for analysis in analyses for label in getattr(analysis, f"{kind}s"))
    return frozenset(label.name for label in labels if label.name in LABELS[kind] and label.confidence >= least)


def without_known_words(text: str) -> str:
    """The text without the terms that the lexicon takes for a mood or genre."""
    kept, at = [], 0
    for match in find(tokenize(text)):
        if any(meaning.kind in LABELS for meaning in match.meanings):
            kept.append(text[at : match.span[0]])
            at = match.span[1]
    return " ".join("".join([*kept, text[at:]]).split())


def read_scores(
    cases: Sequence[Case], stated: Sequence[TextAnalysis], vectors: tuple[Vectors, Vectors], zero_shot: ZeroShot, kind: Heard
) -> Scores:
    """`vectors` are those of the texts without their known words, and of the whole texts."""
    return Scores(
        zero_shot.scores(kind, vectors[0]),
        zero_shot.scores(kind, vectors[1]),
        np.array([[name in case.right[kind] for name in LABELS[kind]] for case in cases]),
        np.array([not names([analysis], kind, NAMED) for analysis in stated]),
    )


def judged_labels(cases: Sequence[Case], analyses: Sequence[TextAnalysis], kind: Heard) -> Judged:
    """The labels of the closed list that the analyses have."""
    pairs = [
        (label.confidence, label.name in case.right[kind])
        for case, analysis in zip(cases, analyses, strict=True)
        for label in getattr(analysis, f"{kind}s")
        if label.name in LABELS[kind]
    ]
    return Judged([confidence for confidence, _ in pairs], [right for _, right in pairs])


def share_in_first(cases: Sequence[Case], analyses: Sequence[TextAnalysis], kind: Heard) -> float:
    """Of the texts that people named a label for, the share with one of them among the most confident few."""
    hits = []
    for case, analysis in zip(cases, analyses, strict=True):
        ranked = sorted(getattr(analysis, f"{kind}s"), key=lambda label: -label.confidence)
        if case.right[kind]:
            hits.append(any(label.name in case.right[kind] for label in ranked[: FIRST[kind]]))
    return float(np.mean(hits)) if hits else 0.0


def fitted(scores: Scores, kind: Heard, rows: IntArray) -> Calibration:
    """Slopes by logistic regression on texts without their known words, the intercept by the texts that name none.

    The former are many and have moods and genres; the latter are those that the encoder is asked about.
    """
    from sklearn.linear_model import LogisticRegression

    hidden_BL, right_BL = scores.hidden[rows], scores.right[rows]
    features = np.stack([hidden_BL, margins(hidden_BL)][: 1 + USES_MARGIN[kind]], axis=-1)
    model = LogisticRegression(C=100.0).fit(features.reshape(-1, features.shape[-1]), right_BL.ravel())
    score, margin = (float(slope) for slope in [*model.coef_[0], 0.0][:2])
    silent = rows[scores.is_silent[rows]]
    share = scores.right[silent].mean()
    low, high = -20.0, 20.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        is_over = Calibration(middle, score, margin).confidences(scores.whole[silent]).mean() > share
        low, high = (low, middle) if is_over else (middle, high)
    return Calibration(low, score, margin)


def cross_validated(scores: Scores, kind: Heard) -> FloatArray:
    """Confidences of each text by numbers fitted to the other folds."""
    from sklearn.model_selection import KFold

    confidences_BL = np.zeros_like(scores.whole)
    for others, fold in KFold(N_FOLDS, shuffle=True, random_state=0).split(scores.whole):
        confidences_BL[fold] = fitted(scores, kind, others).confidences(scores.whole[fold])
    return confidences_BL


def write_numbers(encoder: str, calibrations: dict[Heard, Calibration], source: Path) -> None:
    """Replace the encoder's rows of the lexicon by fitted ones."""
    kept = [row for row in read_rows("calibration") if row["encoder"] != encoder]
    rows = [f"{row['encoder']},{row['kind']},{row['intercept']},{row['score']},{row['margin']}" for row in kept]
    rows += [f"{encoder},{kind},{c.intercept:.4f},{c.score:.4f},{c.margin:.4f}" for kind, c in calibrations.items()]
    provenance = (
        f"# Provenance: fitted by `python benchmarks/calibration.py {source.name} --fit` to captions of MusicCaps "
        "(Agostinelli et al. 2023); any encoder: chosen by hand to be careful"
    )
    NUMBERS.write_text("\n".join([provenance, "encoder,kind,intercept,score,margin", *rows, ""]), encoding="utf-8")


def print_table(judged: dict[tuple[str, Heard], Judged]) -> dict[str, Any]:
    """Print each source's reliability; return its errors for the JSON line."""
    summary: dict[str, Any] = {}
    for (source, kind), one in judged.items():
        bins = reliability(one.confidences, one.is_right)
        error, brier = calibration_error(bins), brier_score(one.confidences, one.is_right)
        print(f"\n{kind}s by {source}: expected calibration error {error:.3f}, Brier score {brier:.3f}")
        print(f"{'n':>8}{'confidence':>12}{'right':>8}")
        for part in bins:
            print(f"{part.n:>8}{part.confidence:>12.2f}{part.right:>8.2f}")
        summary[f"{kind}_{source}"] = {"n": len(one.confidences), "ece": round(error, 4), "brier": round(brier, 4)}
    return summary


def draw(judged: dict[tuple[str, Heard], Judged], title: str, path: Path) -> None:
    """Draw share right over confidence, one panel a kind, with the counts below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    panels = figure.subplots(2, len(LABELS), sharex=True, height_ratios=(3, 1))
    for column, kind in enumerate(LABELS):
        curve, counts = panels[0][column], panels[1][column]
        curve.plot([0, 1], [0, 1], color="#BBBBBB", linestyle="--", label="as it should be")
        for place, source in enumerate(COLOURS):
            bins = reliability(judged[source, kind].confidences, judged[source, kind].is_right)
            xs = [part.confidence for part in bins]
            sure = [part for part in bins if part.n >= FEWEST_DRAWN]
            points = [part.confidence for part in sure], [part.right for part in sure]
            curve.plot(*points, color=COLOURS[source], marker="o", label=source, alpha=0.8)
            lefts = [int(x * 10 - 1e-9) / 10 + 0.01 + 0.027 * place for x in xs]
            counts.bar(lefts, [part.n for part in bins], width=0.025, align="edge", color=COLOURS[source])
        curve.set(title=f"{kind}s", ylabel="share right", xlim=(0, 1), ylim=(0, 1.02))
        counts.set(xlabel="confidence", ylabel="judgements", yscale="log")
        curve.legend(frameon=False, loc="upper left")
    figure.savefig(path, metadata={"Software": None})


def main() -> None:
    """Print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", default=PROMPTS)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER, help="a folder or a name")
    parser.add_argument("--picture", type=Path, help="where to draw the curve")
    parser.add_argument("--fit", action="store_true", help="fit the numbers to FILE first")
    options = parser.parse_args()
    cases = [read_case(json.loads(line)) for line in options.file.read_text(encoding="utf-8").splitlines() if line.strip()]
    encoder = TextEncoder(options.encoder)
    zero_shot = ZeroShot(encoder.encode, encoder.fingerprint)
    stated = [analyse(case.text) for case in cases]
    whole_BD = encoder.encode([case.text for case in cases])
    vectors = (encoder.encode([without_known_words(case.text) for case in cases]), whole_BD)
    scores = {kind: read_scores(cases, stated, vectors, zero_shot, kind) for kind in LABELS}
    if options.fit:
        fits = {kind: fitted(scores[kind], kind, np.arange(len(cases))) for kind in LABELS}
        write_numbers(encoder.fingerprint, fits, options.file)
        confidences = {kind: cross_validated(scores[kind], kind) for kind in LABELS}
        zero_shot = zero_shot.recalibrated(fits)
    else:
        confidences = {kind: zero_shot.confidences(kind, whole_BD) for kind in LABELS}
    together = heard(stated, whole_BD, zero_shot)
    judged: dict[tuple[str, Heard], Judged] = {}
    for kind in LABELS:
        judged["words", kind] = judged_labels(cases, stated, kind)
        silent, right = scores[kind].is_silent, scores[kind].right
        judged["encoder", kind] = Judged(confidences[kind][silent].ravel().tolist(), right[silent].ravel().tolist())
        judged["both", kind] = judged_labels(cases, together, kind)
    print(f"{len(cases)} texts of {options.file.name}; the encoder is {'' if zero_shot.is_calibrated else 'not '}calibrated")
    summary = print_table(judged)
    for kind in LABELS:
        for source, analyses in (("words", stated), ("both", together)):
            summary[f"{kind}_{source}_in_{FIRST[kind]}"] = round(share_in_first(cases, analyses, kind), 3)
    if options.picture:
        draw(judged, f"Confidence and share right, {len(cases)} texts of {options.file.name}", options.picture)
    print(f"\n{json.dumps({'benchmark': 'calibration', 'texts': len(cases), **summary})}")


if __name__ == "__main__":
    main()
