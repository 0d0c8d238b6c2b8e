"""Of the facts that captions state, how many the text analysis reads back, fact by fact, on real pieces.

    python benchmarks/captions.py [WORKSPACE | FOLDER] [--pieces 1000] [--errors]

WORKSPACE holds `pieces`, FOLDER MIDI files; without either, the free scores of `amt corpus` are made. A random subset (fixed
seed) is measured; each piece gets one caption of every form. What counts, kind by kind:

- said: facts that captions state (each instrument is one);
- read: those of them that `analyse` finds, with the same value (an instrument: the same program to play first);
- not said: what `analyse` finds that the caption did not state;
- implied: the same where a word by itself brings it to mind (a koto: music of the world; a title: its own mood).

Last line: one JSON object with the shares.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amt_ray.artifacts import Workspace
from amt_ray.config import Limits
from amt_ray.midi.collect import ACCEPTED, Reader, collect_files
from amt_ray.midi.scan import Library
from amt_ray.pipelines.corpus import make_corpus
from amt_ray.schemas import PIECES
from amt_ray.text.analyse import analyse
from amt_ray.text.caption import FORMS, Caption, compose
from amt_ray.text.facts import facts_of, stated

SEED = 0
N_SAMPLES = 10


def pieces_of(place: str, n_pieces: int) -> list[dict[str, Any]]:
    """Rows of `pieces`, at random, of a workspace or of a folder of MIDI files."""
    workspace, rng = Workspace(place), random.Random(SEED)
    if workspace.manifest("pieces"):
        rows = workspace.table("pieces", [name for name in PIECES.names if name != "midi"]).to_pylist()
        return rng.sample(rows, min(n_pieces, len(rows)))
    library = Library(place)
    files = library.scan()
    rng.shuffle(files)
    with Reader([library]) as read:
        # Some are not accepted: broken, too short, too long.
        rows = [row for row in collect_files(files[: 2 * n_pieces], read, Limits()) if row["status"] == ACCEPTED]
    return rows[:n_pieces]


def captions_of(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Caption], float, float]:
    """A caption of every form for each piece, and the milliseconds that a piece's facts and a caption took."""
    began = time.perf_counter()
    facts = [facts_of(row, row) for row in rows]
    chosen = time.perf_counter()
    captions = [
        compose(known, form, random.Random(f"{row['piece_id']} {form}"))
        for row, known in zip(rows, facts, strict=True)
        for form in FORMS
    ]
    done = time.perf_counter()
    return captions, 1e3 * (chosen - began) / len(rows), 1e3 * (done - chosen) / len(captions)


def main() -> None:
    """Print samples, the table, and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("place", nargs="?", help="a workspace or a folder of MIDI files")
    parser.add_argument("--pieces", type=int, default=1000)
    parser.add_argument(
        "--errors", action="store_true", help="print the captions that were read otherwise than they were meant"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = pieces_of(options.place or make_corpus(str(Path(folder) / "corpus")).out, options.pieces)
    captions, facts_ms, caption_ms = captions_of(rows)
    said, read, unsaid, implied = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for caption in captions:
        found = stated(analyse(caption.text))
        invented = found - caption.facts - caption.implied
        said.update(fact.kind for fact in caption.facts)
        read.update(fact.kind for fact in caption.facts & found)
        unsaid.update(fact.kind for fact in invented)
        implied.update(fact.kind for fact in (found & caption.implied) - caption.facts)
        if options.errors and (caption.facts - found or invented):
            print(f"{caption.text}\n  missed {sorted(caption.facts - found)}, not said {sorted(invented)}\n")
    print("\n".join(caption.text for caption in random.Random(SEED).sample(captions, min(N_SAMPLES, len(captions)))))
    print(
        f"\n{len(captions)} captions of {len(rows)} pieces: {facts_ms:.2f} ms a piece, and {caption_ms:.3f} ms a caption\n"
    )
    print(f"{'':20}{'said':>8}{'read':>8}{'share':>8}{'not said':>10}{'implied':>9}")
    for kind in sorted(said | unsaid | implied):
        share = f"{read[kind] / said[kind]:.1%}" if said[kind] else ""
        print(f"{kind:20}{said[kind]:>8}{read[kind]:>8}{share:>8}{unsaid[kind]:>10}{implied[kind]:>9}")
    total = read.total() / max(said.total(), 1)
    print(f"{'all':20}{said.total():>8}{read.total():>8}{total:>8.1%}{unsaid.total():>10}{implied.total():>9}\n")
    shares = {kind: round(read[kind] / n, 4) for kind, n in sorted(said.items())}
    result = {
        "benchmark": "captions",
        "pieces": len(rows),
        "captions": len(captions),
        "facts": said.total(),
        "read": round(total, 4),
    }
    print(json.dumps(result | {"not_said": unsaid.total(), "caption_ms": round(caption_ms, 3), "shares": shares}))


if __name__ == "__main__":
    main()
