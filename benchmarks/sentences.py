"""How well the sentences of articles that speak of the music are told from the others, by words, by the encoder, by both.

    python benchmarks/sentences.py [FILE.jsonl] [--errors]

A line of FILE has a `text` and `is_musical` (the default are our own sentences, `tests/text/article_sentences.jsonl`). Each
row of the first table is a logistic regression on the standardised scores, judged by ten-fold cross-validation; the weights
are those of a fit to all sentences, for the scores as they are. The row "as shipped" has the weights that
`amt_ray.text.musical_texts` holds. Without an encoder at hand, only the words are judged.

Last line: one JSON object with the areas under the ROC curves, F1 and sentences a second.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from amt_ray.errors import EncoderError
from amt_ray.text.embed import DEFAULT_ENCODER, TextEncoder
from amt_ray.text.musical_texts import BIAS, THRESHOLD, WEIGHTS, embedding_scores, lexicon_score

FloatArray = npt.NDArray[np.float64]

SENTENCES = Path(__file__).parents[1] / "tests" / "text" / "article_sentences.jsonl"
N_FOLDS = 10


def encoder() -> TextEncoder | None:
    """Return the default encoder, or None where it is not installed."""
    try:
        return TextEncoder(DEFAULT_ENCODER)
    except EncoderError as exc:
        print(f"{exc}\n")
        return None


def timed(score: Callable[[Sequence[str]], Any], texts: Sequence[str]) -> tuple[FloatArray, float]:
    """Return the scores of the texts, and texts a second."""
    start = time.perf_counter()
    scores = np.asarray(score(texts), np.float64)
    return scores, len(texts) / (time.perf_counter() - start)


def fitted(scores_BF: FloatArray, is_musical_B: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return probabilities by cross-validation, and the weights and bias of a fit to everything."""
    model = make_pipeline(StandardScaler(), LogisticRegression())
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
    probabilities_B = cross_val_predict(model, scores_BF, is_musical_B, cv=folds, method="predict_proba")[:, 1]
    scaler, regression = model.fit(scores_BF, is_musical_B)
    weights_F = regression.coef_[0] / scaler.scale_
    return probabilities_B, np.append(weights_F, regression.intercept_[0] - weights_F @ scaler.mean_)


def print_row(name: str, probabilities_B: FloatArray, is_musical_B: FloatArray, weights: FloatArray) -> dict[str, float]:
    """Print a row of the table, and return its area under the curve and F1."""
    precision, recall, f1, _ = precision_recall_fscore_support(
        is_musical_B, probabilities_B >= THRESHOLD, average="binary", zero_division=0.0
    )
    area = float(roc_auc_score(is_musical_B, probabilities_B))
    numbers = "  ".join(f"{weight:.2f}" for weight in weights)
    print(f"{name:12}{precision:>11.1%}{recall:>9.1%}{f1:>9.1%}{area:>8.3f}   {numbers}")
    return {"f1": round(float(f1), 3), "auc": round(area, 3)}


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", default=SENTENCES)
    parser.add_argument("--errors", action="store_true", help="print the sentences that are judged wrongly as shipped")
    options = parser.parse_args()
    cases = [json.loads(line) for line in options.file.read_text(encoding="utf-8").splitlines() if line.strip()]
    texts, is_musical_B = [case["text"] for case in cases], np.array([case["is_musical"] for case in cases], np.float64)
    lexicon_score(texts[0])  # reads the lexicons
    lexicon_B, lexicon_speed = timed(lambda sentences: [lexicon_score(s) for s in sentences], texts)
    result: dict[str, Any] = {"benchmark": "sentences", "sentences": len(texts), "lexicon_per_s": round(lexicon_speed)}
    columns = {"lexicon": lexicon_B[:, None]}
    if model := encoder():
        embedding_B, embedding_speed = timed(lambda sentences: embedding_scores(sentences, model.encode), texts)
        result["encoder_per_s"] = round(embedding_speed)
        columns |= {"encoder": embedding_B[:, None], "both": np.column_stack([lexicon_B, embedding_B])}
    print(f"{len(texts)} sentences of {options.file.name}, {is_musical_B.mean():.0%} of them about the music\n")
    print(f"{'':12}{'precision':>11}{'recall':>9}{'F1':>9}{'AUC':>8}   weights and bias")
    for name, scores_BF in columns.items():
        probabilities_B, weights = fitted(scores_BF, is_musical_B)
        result[name] = print_row(name, probabilities_B, is_musical_B, weights)
    if "both" in columns:
        shipped_B = 1 / (1 + np.exp(-(columns["both"] @ np.array(WEIGHTS) + BIAS)))
        result["as_shipped"] = print_row("as shipped", shipped_B, is_musical_B, np.array([*WEIGHTS, BIAS]))
        wrong = np.flatnonzero((shipped_B >= THRESHOLD) != is_musical_B) if options.errors else ()
        for i in sorted(wrong, key=lambda i: -abs(shipped_B[i] - is_musical_B[i])):
            print(f"{shipped_B[i]:6.2f} for {'a musical' if is_musical_B[i] else 'another'} sentence: {texts[i]}")
    print(f"\n{json.dumps(result)}")


if __name__ == "__main__":
    main()
