"""How fast captions become vectors: ours (`make_embeddings`) beside sentence-transformers, on the same texts and cores.

    python benchmarks/embed.py [--texts 5000] [--repeats 3] [--batch-size 32]

- amt_ray: the whole path, from the Parquet table of captions through Ray Data's actors to that of embeddings;
- encode(all): one call of `SentenceTransformer.encode` with all texts, which it sorts by length; the vectors stay in memory;
- loop: the same a batch at a time, in the order of the file.

Sides take turns, each in a fresh process that may use all CPUs of this one: ours as an actor of one thread for each,
sentence-transformers as one process of as many threads, or both on the GPU if there is one. Texts are composed from a seed,
all different, of 3 to 200 words.

`start` is what a side takes whatever the number of texts: imports, Ray and its actors, the weights. Of ours it is measured
by a run on as many texts as start every actor, and is what that run takes without their share of the encoding. `texts/s` is
without it, `with start` is all. A ratio is the median over the repeats of ours divided by theirs of the same repeat.
Last line: one JSON object; `ratio` is ours against encode(all), without start.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from amt_ray.midi.instruments import INSTRUMENTS
from amt_ray.midi.keys import KEYS

SEED = 0
MEDIAN_WORDS, SPREAD, LEAST_WORDS, MOST_WORDS = 25, 0.7, 3, 200
KINDS = ["piece", "song", "waltz", "ballad", "march", "reel", "prelude", "study", "nocturne", "groove", "hymn", "lullaby"]
ADJECTIVES = ["slow", "fast", "melancholic", "joyful", "solemn", "gentle", "driving", "dark", "dreamy", "tense", "playful"]
GENRES = [
    "jazz",
    "folk",
    "rock",
    "classical",
    "baroque",
    "electronic",
    "blues",
    "country",
    "Latin",
    "ambient",
    "funk",
    "film",
]
METRES = ["4/4", "3/4", "2/4", "6/8", "12/8", "5/4"]
ROLES = ["the melody", "a counter-melody", "long chords", "a walking line", "broken chords", "short riffs", "the off-beats"]
SIDES = ("amt_ray", "encode(all)", "loop")


def sentence(rng: random.Random) -> str:
    """One of the things that captions say."""
    adjective, genre, kind = rng.choice(ADJECTIVES), rng.choice(GENRES), rng.choice(KINDS)
    first, second = rng.sample(INSTRUMENTS, 2)
    return rng.choice(
        [
            f"A {adjective} {genre} {kind} in {rng.choice(KEYS)} for {first} and {second}.",
            f"The {first} plays {rng.choice(ROLES)} while the {second} plays {rng.choice(ROLES)}.",
            f"It is in {rng.choice(METRES)} at {rng.randint(40, 220)} beats per minute and {rng.randint(4, 128)} bars long.",
            f"After {rng.randint(2, 32)} bars it turns to {rng.choice(KEYS)}, {rng.choice(ADJECTIVES)} and {adjective}.",
            f"A listener would call it {adjective}, with a touch of {genre}.",
        ]
    )


def compose(n_texts: int) -> list[str]:
    """Captions, all different; most have a sentence or three, some are as long as an article's beginning."""
    rng, texts = random.Random(SEED), dict[str, None]()
    while len(texts) < n_texts:
        n_words = min(max(round(rng.lognormvariate(0, SPREAD) * MEDIAN_WORDS), LEAST_WORDS), MOST_WORDS)
        words: list[str] = []
        while len(words) < n_words:
            words += sentence(rng).split()
        texts[" ".join(words[:n_words])] = None
    return list(texts)


def run_ours(texts: Sequence[str], batch_size: int, began_s: float) -> dict[str, float]:
    """Seconds of all, and what of it passed until the last of the actors had made its first texts."""
    import pyarrow as pa

    from amt_ray.artifacts import Workspace
    from amt_ray.config import PrepareSettings
    from amt_ray.pipelines.cluster import start_ray
    from amt_ray.pipelines.embed import make_embeddings
    from amt_ray.pipelines.progress import silent
    from amt_ray.schemas import CAPTIONS
    from amt_ray.text.embed import find_encoder

    with tempfile.TemporaryDirectory() as folder:
        place = Workspace(folder)
        rows = pa.table(
            {"piece_id": [str(i) for i in range(len(texts))], "kind": ["features-0"] * len(texts), "text": texts}
        )
        rows = pa.Table.from_pylist(rows.to_pylist(), CAPTIONS)
        captions = place.write("captions", rows, "benchmark", {}, {})
        start_ray()
        made = make_embeddings(place, captions, PrepareSettings(batch_size=batch_size), find_encoder(), silent)
        if made.n_rows != len(texts):
            raise SystemExit(f"{made.n_rows} of {len(texts)} texts were embedded")
    return {"all_s": time.time() - began_s}


def run_theirs(texts: Sequence[str], batch_size: int, began_s: float, whole: bool) -> dict[str, float]:
    """Seconds of all, and of it those until the encoder is loaded."""
    import torch
    from sentence_transformers import SentenceTransformer

    from amt_ray.text.embed import find_encoder

    torch.set_num_threads(n_cpus())
    model = SentenceTransformer(str(find_encoder().folder), local_files_only=True)
    start_s = time.time() - began_s
    step = len(texts) if whole else batch_size
    vectors = [model.encode(texts[i : i + step], batch_size=batch_size) for i in range(0, len(texts), step)]
    if sum(map(len, vectors)) != len(texts):
        raise SystemExit("texts are missing")
    return {"all_s": time.time() - began_s, "start_s": start_s}


def run_side(side: str, n_texts: int, batch_size: int) -> dict[str, float]:
    """Run a side in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--texts", str(n_texts), "--batch-size", str(batch_size)]
    began_s = time.time()
    quiet = {"TOKENIZERS_PARALLELISM": "true", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")} | quiet
    done = subprocess.run(
        [*command, "--began-s", repr(began_s)], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure(n_texts: int, repeats: int, batch_size: int) -> dict[str, list[dict[str, float]]]:
    """Seconds of each side, repeat by repeat: `all_s`, `start_s`."""
    few = n_cpus() * 256
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for repeat in range(repeats):
        for side in SIDES:
            seconds = run_side(side, n_texts, batch_size)
            if side == "amt_ray":
                short_s = run_side(side, few, batch_size)["all_s"]
                # Both runs start alike, so that what is between them is the encoding of the texts that are more.
                seconds["start_s"] = seconds["all_s"] - (seconds["all_s"] - short_s) * n_texts / (n_texts - few)
            runs[side].append(seconds)
            print(f"repeat {repeat + 1}, {side}: {seconds['all_s']:.1f} s", file=sys.stderr, flush=True)
    return runs


def ratios(runs: dict[str, list[dict[str, float]]], side: str) -> tuple[float, float]:
    """How much faster ours is than a side, without and with start: medians over the repeats."""
    pairs = list(zip(runs["amt_ray"], runs[side], strict=True))
    steady = [(theirs["all_s"] - theirs["start_s"]) / (ours["all_s"] - ours["start_s"]) for ours, theirs in pairs]
    return statistics.median(steady), statistics.median(theirs["all_s"] / ours["all_s"] for ours, theirs in pairs)


def n_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def report(runs: dict[str, list[dict[str, float]]], n_texts: int) -> dict[str, float]:
    """Print the table and return the ratios."""
    print(f"{'':12} {'start s':>8} {'texts/s':>8} {'with start':>10} {'ratio':>6} {'with start':>10}")
    record: dict[str, float] = {}
    for side in SIDES:
        start_s, all_s = (statistics.median(run[name] for run in runs[side]) for name in ("start_s", "all_s"))
        steady_s = statistics.median(run["all_s"] - run["start_s"] for run in runs[side])
        steady, with_start = ratios(runs, side)
        print(f"{side:12} {start_s:8.1f} {n_texts / steady_s:8.1f} {n_texts / all_s:10.1f} {steady:6.2f} {with_start:10.2f}")
        name = {"encode(all)": "ratio", "loop": "ratio_to_loop"}.get(side)
        if name:
            record |= {name: round(steady, 3), f"{name}_with_start": round(with_start, 3)}
        else:
            record |= {"texts_per_s": round(n_texts / steady_s, 1), "start_s": round(start_s, 1)}
    return record


def main() -> None:
    """Run the benchmark of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--began-s", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    texts = compose(given.texts)
    if given.side == "amt_ray":
        print(json.dumps(run_ours(texts, given.batch_size, given.began_s)))
    elif given.side:
        print(json.dumps(run_theirs(texts, given.batch_size, given.began_s, given.side == "encode(all)")))
    else:
        if given.texts < 2 * n_cpus() * 256:
            parser.error(f"--texts: received {given.texts}; at least {2 * n_cpus() * 256} tell encoding from start here")
        words = sorted(len(text.split()) for text in texts)
        spread = f"{words[0]} to {words[-1]} words, half of them below {words[len(words) // 2]}"
        print(f"{len(texts):,} texts of {spread}; {n_cpus()} CPUs; {given.repeats} repeats, medians\n")
        record = report(measure(given.texts, given.repeats, given.batch_size), given.texts)
        print(f"\n{json.dumps({'benchmark': 'embed', **record, 'texts': given.texts, 'repeats': given.repeats})}")


if __name__ == "__main__":
    main()
