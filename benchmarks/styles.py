"""Whether a library of a few clearly different kinds of music comes out as styles that separate them.

    python benchmarks/styles.py [FOLDER] [--texts FILE.jsonl] [--pieces 24] [--hide-kinds] [--seed 0]

FOLDER has a sub-folder for each kind, of MIDI files (`Kind/Artist/Title.mid`); without it, four kinds are made of the scores
that the package music21 ships. A caption says the kind, for it is the genre by the path; `--hide-kinds` collects each
sub-folder by itself, so that captions have nothing but the music. `--texts` has a line {"artist", "text"} for each article
on an artist; by default some sentences on composers, written for this benchmark (`style_texts.jsonl`).

Pieces are collected and prepared twice, without and with the articles, and clustered twice: into as many styles as there are
kinds, and into as many as the silhouette chooses. Agreement is the adjusted Rand index (Hubert & Arabie, 1985): 1 for the
same groups, 0 for what chance would give. Last line: one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.metrics import adjusted_rand_score

from amt_ray.artifacts import Workspace
from amt_ray.config import CollectSettings, PrepareSettings
from amt_ray.midi.corpus import default_works, work_to_midi
from amt_ray.pipelines.collect import collect
from amt_ray.pipelines.prepare import prepare
from amt_ray.pipelines.styles import mean_vectors
from amt_ray.schemas import ARTICLES
from amt_ray.styles import fit_styles
from amt_ray.text.telling import group_names

TEXTS = Path(__file__).parent / "style_texts.jsonl"
CORPUS_KINDS = ("sacred", "classical", "folk", "renaissance")


def make_library(folder: Path, n_pieces: int) -> None:
    """Write up to `n_pieces` scores of each of four kinds as `Kind/Composer/Title.mid`."""
    for kind in CORPUS_KINDS:
        for work in [work for work in default_works() if work.genre == kind][:n_pieces]:
            path = folder / kind / work.midi_path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(work_to_midi(work))


def take_some(source: Path, folder: Path, n_pieces: int, seed: int) -> None:
    """Copy up to `n_pieces` MIDI files of each sub-folder, drawn at random, with their last two folders."""
    rng = np.random.default_rng(seed)
    for kind in sorted(path for path in source.iterdir() if path.is_dir()):
        files = sorted(path for path in kind.rglob("*") if path.suffix.lower() == ".mid" and path.is_file())
        for number in rng.permutation(len(files))[:n_pieces]:
            target = folder / kind.name / files[number].parent.name / files[number].name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(files[number], target)


def kinds_of(place: Workspace, folder: Path) -> dict[str, str]:
    """Each piece's kind, by its id."""
    rows = place.table("pieces", ["piece_id", "library", "path"]).to_pylist()
    return {row["piece_id"]: (Path(row["library"]) / row["path"]).relative_to(folder.resolve()).parts[0] for row in rows}


def write_articles(place: Workspace, texts: Mapping[str, str]) -> int:
    """Put articles on artists into the workspace; how many pieces have one."""
    pieces = place.table("pieces", ["piece_id", "artist", "title"]).to_pylist()
    known = {"status": "artist", "reason": "", "confidence": 1.0, "candidates": []}
    rows = [row | known | {"extract": texts[row["artist"]]} for row in pieces if row["artist"] in texts]
    place.write("articles", pa.Table.from_pylist(rows, ARTICLES), "benchmark", {}, {})
    return len(rows)


def agreement(title: str, place: Workspace, kinds: Mapping[str, str], seed: int) -> dict[str, float]:
    """Print and return how well styles agree with the kinds."""
    piece_ids, means_NE = mean_vectors(place)
    wanted = [kinds[piece_id] for piece_id in piece_ids]
    n_kinds = len(set(wanted))
    given, chosen = fit_styles(means_NE, n_kinds, n_kinds, seed), fit_styles(means_NE, 2, 10, seed)
    scores = {
        "ari": adjusted_rand_score(wanted, given.style_of_row),
        "k_chosen": len(chosen.centroids),
        "ari_chosen": adjusted_rand_score(wanted, chosen.style_of_row),
    }
    print(f"{title}: ARI {scores['ari']:.3f} with K={n_kinds}", end=", ")
    print(f"{scores['ari_chosen']:.3f} with K={scores['k_chosen']}, as chosen")
    for name, row in zip(names(place, piece_ids, given.style_of_row), table(wanted, given.style_of_row), strict=True):
        print(f"  {name:45} {row}")
    return {name: round(float(score), 4) for name, score in scores.items()}


def names(place: Workspace, piece_ids: Sequence[str], style_of_row: np.ndarray) -> tuple[str, ...]:
    """The styles' names."""
    style_of = dict(zip(piece_ids, style_of_row.tolist(), strict=True))
    captions = place.table("captions", ["piece_id", "text"])
    styles = [style_of[piece_id] for piece_id in captions["piece_id"].to_pylist()]
    return group_names(captions["text"].to_pylist(), styles, int(style_of_row.max()) + 1)


def table(kinds: Sequence[str], style_of_row: np.ndarray) -> list[str]:
    """How many pieces of each kind each style has."""
    rows = []
    for style in range(int(style_of_row.max()) + 1):
        own = [kind for kind, other in zip(kinds, style_of_row, strict=True) if other == style]
        rows.append(", ".join(f"{own.count(kind)} {kind}" for kind in sorted(set(own), key=own.count, reverse=True)))
    return rows


def main() -> None:
    """Run the benchmark of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="a sub-folder for each kind")
    parser.add_argument("--texts", type=Path, default=TEXTS, help='JSON lines of {"artist", "text"}')
    parser.add_argument("--pieces", type=int, default=24, help="most pieces of each kind")
    parser.add_argument("--hide-kinds", action="store_true", help="captions must not say the kind")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    texts = {row["artist"]: row["text"] for row in map(json.loads, arguments.texts.read_text("utf-8").splitlines())}
    with tempfile.TemporaryDirectory() as scratch:
        folder, workspace = Path(scratch, "library"), str(Path(scratch, "workspace"))
        if arguments.folder is None:
            make_library(folder, arguments.pieces)
        else:
            take_some(arguments.folder, folder, arguments.pieces, arguments.seed)
        libraries = sorted(map(str, folder.iterdir())) if arguments.hide_kinds else [str(folder)]
        collect(libraries, workspace, CollectSettings(skip_wikipedia=True))
        place, settings = Workspace(workspace), PrepareSettings(seed=arguments.seed)
        kinds = kinds_of(place, folder)
        prepare(workspace, settings)
        record = {"benchmark": "styles", "pieces": len(kinds), "kinds": len(set(kinds.values()))}
        alone = agreement("captions alone", place, kinds, arguments.seed)
        record["articles"] = write_articles(place, texts)
        prepare(workspace, settings)
        n_read = pc.sum(pc.equal(place.table("captions", ["kind"])["kind"], "wikipedia")).as_py() or 0
        both = agreement(f"with articles ({n_read} of {len(kinds)} pieces)", place, kinds, arguments.seed)
    print(f"\n{json.dumps(record | alone | {f'{name}_with_articles': score for name, score in both.items()})}")


if __name__ == "__main__":
    main()
