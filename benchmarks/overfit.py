"""Whether the model can learn at all: twenty pieces by heart on a CPU, and one of them played back.

    python benchmarks/overfit.py [LIBRARY] [--pieces 20] [--minutes 2.8] [--threads 2] [--out FOLDER]

LIBRARY is a folder of MIDI files, of which the first are taken, of longer ones the bars that fit into a training window;
without it, they are from music21's corpus. `tiny` sees each piece as it is, with its controls and its text, without dropout,
smoothing or weight decay. Afterwards it is given the text and the controls of each piece and plays what is likeliest, event
by event; the share of the piece's notes that come at their place is printed. With --out, the piece that came back best is
written there as it is and as it was played, with its piano rolls.
Last line: one JSON object; `loss` is the mean of the last epoch in nats per event.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amt_ray.config import train_settings
from amt_ray.errors import InvalidPiece
from amt_ray.events.controls import Controls
from amt_ray.events.encode import decode
from amt_ray.events.quantise import quantise
from amt_ray.generation.engine import Row, generate
from amt_ray.generation.steering import Steering
from amt_ray.media.pianoroll import draw_piano_roll
from amt_ray.midi.features import measure
from amt_ray.midi.parse import parse_midi
from amt_ray.midi.piece import Piece
from amt_ray.midi.write import write_midi
from amt_ray.model.conditional_gpt2 import ConditionalGPT2
from amt_ray.pipelines.corpus import make_corpus
from amt_ray.text.caption import captions
from amt_ray.text.embed import TextEncoder
from amt_ray.training.batches import Rows
from amt_ray.training.context import LocalContext
from amt_ray.training.exchange import rows_at
from amt_ray.training.loop import train
from amt_ray.training.progress import epoch_line
from amt_ray.training.windows import Labels, Window, cut_windows

BATCH_TOKENS, LEARNING_RATE = 2048, 3e-3


@dataclass(frozen=True)
class Lesson:
    """A piece's first window, and a text that describes the piece."""

    window: Window
    text: str


def lessons_of(library: Path, n: int) -> list[Lesson]:
    """The first `n` pieces of a library by path."""
    found: list[Lesson] = []
    for path in sorted(path for path in library.rglob("*") if path.suffix.lower() in (".mid", ".midi")):
        try:
            piece = parse_midi(path.read_bytes())
        except InvalidPiece:
            continue
        window = next(cut_windows(quantise(piece), Labels(), 1024), None)
        if window is not None:
            found.append(Lesson(window, captions(measure(piece).as_row(), {}, path.name)[0]))
        if len(found) == n:
            return found
    raise SystemExit(f"{library} has {len(found)} pieces; {n} were asked for")


def rows_of(lessons: list[Lesson], vectors: np.ndarray) -> Rows:
    """The lessons as training rows."""
    ids = [lesson.window.ids for lesson in lessons]
    zeros = np.zeros(len(ids), np.int64)
    n_controls = np.array([lesson.window.n_controls for lesson in lessons])
    texts = [np.array([row]) for row in range(len(ids))]
    return Rows(np.concatenate(ids), np.append(0, np.cumsum([len(row) for row in ids])), n_controls, zeros, texts, vectors)


class Console(LocalContext):
    """Prints how every tenth epoch ended; keeps its checkpoints in a folder that is deleted."""

    def log(self, record: Mapping[str, Any]) -> None:
        """Print how an epoch ended."""
        if record["is_last"] or (record["batch"] == record["batches"] and record["epoch"] % 10 == 0):
            print(epoch_line(record), flush=True)


def played(model: ConditionalGPT2, lesson: Lesson, vector: np.ndarray) -> Piece:
    """What the model plays when it is told the piece's text and controls and takes the likeliest event that may come."""
    prompt = lesson.window.ids[: 1 + lesson.window.n_controls].tolist()
    free = Steering(Controls(), (), model.config.n_positions - model.config.prefix_tokens)
    return decode(generate(model, [Row(prompt, vector, free, 1.0, 1, 1.0, np.random.default_rng(0))])[0])


def share_of_notes(piece: Piece, of: Piece) -> float:
    """How many of a piece's notes another has at the same onset, with the same pitch and program."""

    def notes(of_piece: Piece) -> set[tuple[int, ...]]:
        notes = of_piece.notes
        return set(zip(notes.onset_ticks.tolist(), notes.pitch.tolist(), notes.program.tolist(), strict=True))

    return len(notes(of) & notes(piece)) / len(notes(of))


def main() -> None:
    """Run the benchmark of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", nargs="?", type=Path)
    parser.add_argument("--pieces", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=2.8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        library = arguments.library
        if library is None:
            library = Path(folder) / "library"
            make_corpus(str(library), arguments.pieces)
        lessons = lessons_of(library, arguments.pieces)
        vectors = TextEncoder().encode([lesson.text for lesson in lessons])
        rows = rows_of(lessons, vectors)
        settings = train_settings(
            "tiny", max_minutes=arguments.minutes, batch_tokens=BATCH_TOKENS, learning_rate=LEARNING_RATE, dropout=0.0,
            label_smoothing=0.0, weight_decay=0.0, control_dropout=0.0, prefix_dropout=0.0,
        )  # fmt: skip
        print(f"{len(lessons)} pieces, {len(rows.ids):,} events", flush=True)
        trained = train(rows, rows_at(rows, []), settings.shape, settings, Console(Path(folder)))
    model = trained.model.eval()
    pieces = [decode(lesson.window.ids) for lesson in lessons]
    takes = [played(model, lesson, vector) for lesson, vector in zip(lessons, vectors, strict=True)]
    shares = [share_of_notes(take, of=piece) for take, piece in zip(takes, pieces, strict=True)]
    print("\nplayed back, share of its notes  text")
    for share, lesson in sorted(zip(shares, lessons, strict=True), key=lambda pair: -pair[0]):
        print(f"{share:31.0%}  {lesson.text[:90]}")
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        best = int(np.argmax(shares))
        for name, piece in (("piece", pieces[best]), ("played", takes[best])):
            (arguments.out / f"{name}.mid").write_bytes(write_midi(piece))
            (arguments.out / f"{name}.png").write_bytes(draw_piano_roll(piece, lessons[best].text))
    record = {
        "benchmark": "overfit",
        "loss": round(trained.metrics["epoch_loss"], 4),
        "seconds": round(trained.metrics["seconds"], 1),
        "pieces_played_back": sum(share >= 0.95 for share in shares),
        "pieces": len(lessons),
        "events": len(rows.ids),
    }
    print(f"\n{json.dumps(record)}")


if __name__ == "__main__":
    main()
