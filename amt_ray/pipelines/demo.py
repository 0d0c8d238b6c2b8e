"""The whole line, from no MIDI at all to three pieces that can be heard: corpus, collect, prepare, train, generate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amt_ray.artifacts import write_file
from amt_ray.config import CollectSettings, PrepareSettings, train_settings
from amt_ray.generation.composer import Composer, Take
from amt_ray.generation.statistics import describe
from amt_ray.media.audio import render_wav
from amt_ray.media.page import Exhibit, build_page
from amt_ray.media.pianoroll import draw_piano_roll
from amt_ray.pipelines.board import OnRecord
from amt_ray.pipelines.collect import collect
from amt_ray.pipelines.corpus import make_corpus
from amt_ray.pipelines.prepare import prepare
from amt_ray.pipelines.progress import Progress, silent
from amt_ray.pipelines.train import train_model

PROMPTS = (
    "a slow waltz in D minor for violin and piano, 16 bars",
    "a lively string quartet in G major, 16 bars",
    "a solemn chorale for choir in C major, 4/4, 12 bars",
)
TRAIN_STEPS = 600
SEED = 7


@dataclass(frozen=True)
class DemoReport:
    """Where the page is, and how long each step took, in order."""

    page: str
    seconds_by_step: dict[str, float]


def run_demo(
    out: str,
    progress: Progress = silent,
    on_record: OnRecord = lambda record: None,
    on_step: Callable[[str], None] = lambda step: None,
    prompts: Sequence[str] = PROMPTS,
    n_pieces: int = 150,
    train_steps: int = TRAIN_STEPS,
) -> DemoReport:
    """Make `out/library`, `out/workspace`, and for each prompt a .mid, .wav and .png with `out/index.html` to show them.

    What is there already is not made again. Raises OutputError when `out` cannot be written, MissingPackageError without
    the packages of the extra `demo`.
    """
    seconds: dict[str, float] = {}
    library, workspace = f"{out}/library", f"{out}/workspace"

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        on_step(step)
        began_s = time.monotonic()
        yield
        seconds[step] = time.monotonic() - began_s

    with timed("make a library from music21's corpus"):
        make_corpus(library, n_pieces, progress)
    with timed("collect it"):
        collected = collect(library, workspace, CollectSettings(skip_wikipedia=True), progress)
    with timed("prepare it"):
        prepared = prepare(workspace, PrepareSettings(), progress)
    with timed("train a tiny model"):
        trained = train_model(workspace, train_settings("tiny", max_steps=train_steps), on_record=on_record, say=on_step)
    with timed("generate"):
        composer = Composer.from_pretrained(trained.bundle)
        takes = [composer.generate(prompt, seed=SEED) for prompt in prompts]
    with timed("render sound and pictures"):
        exhibits = [_exhibit(Path(out), number, take) for number, take in enumerate(takes, start=1)]
        how = [
            ("Pieces collected", f"{collected.library.accepted} from music21's corpus"),
            ("Styles found", "; ".join(style.name for style in prepared.styles.styles)),
            ("Training windows", f"{prepared.n_windows:,} ({prepared.n_tokens:,} events)"),
            ("Model", f"{trained.parameters / 1e6:.1f} M parameters, {trained.metrics['steps']} steps on this machine"),
            ("Validation loss", _loss(trained.metrics.get("validation_loss"))),
            *((f"Time to {step}", f"{duration_s:.0f} s") for step, duration_s in seconds.items()),
        ]
        page = build_page(exhibits, "Music from sentences, made by amt_ray", how)
        write_file(f"{out}/index.html", page.encode())
    return DemoReport(f"{out}/index.html", seconds)


def _exhibit(folder: Path, number: int, take: Take) -> Exhibit:
    name = f"piece-{number}"
    take.save(folder / f"{name}.mid")
    write_file(folder / f"{name}.wav", render_wav(take.midi))
    write_file(folder / f"{name}.png", draw_piano_roll(take.piece, take.plan.request.text))
    met = sum(check.is_met for check in take.checks)
    facts = {"Requests met": f"{met} of {len(take.checks)}"} | describe(take.piece, len(take.ids))
    return Exhibit(take.plan.request.text, f"{name}.mid", f"{name}.wav", f"{name}.png", tuple(facts.items()))


def _loss(nats_per_event: float | None) -> str:
    return "not measured, too few pieces" if nats_per_event is None else f"{nats_per_event:.2f} nats per event"
