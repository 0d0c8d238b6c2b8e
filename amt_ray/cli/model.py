"""Commands from a filled workspace to music: prepare, train, generate, serve, demo."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from amt_ray.cli.styles import MaxStyles, MinStyles, StylesSeed, given, show_styles
from amt_ray.config import EncoderDevice, PrepareSettings
from amt_ray.console import Display

if TYPE_CHECKING:
    from amt_ray.generation.composer import Take
    from amt_ray.training.statistics import WindowStatistics

Device = Literal["cpu", "cuda"]


def prepare(
    workspace: Annotated[str, typer.Argument(help="Folder that `amt collect` has filled.")],
    encoder: Annotated[str, typer.Option(help="Sentence encoder: a hub name or a local folder.")] = "all-MiniLM-L6-v2",
    device: Annotated[EncoderDevice, typer.Option(help="What the encoder runs on; auto: GPUs where Ray has some.")] = "auto",
    batch_size: Annotated[int, typer.Option(help="Texts that the encoder reads at once.")] = 32,
    window_tokens: Annotated[int, typer.Option(help="Most events in a training window.")] = 1024,
    min_styles: MinStyles = None,
    max_styles: MaxStyles = None,
    seed: StylesSeed = None,
) -> None:
    """Write captions, embed and cluster them, turn pieces into events."""
    from amt_ray.pipelines.prepare import prepare as run

    display = Display()
    settings = PrepareSettings(
        encoder=encoder,
        device=device,
        batch_size=batch_size,
        window_tokens=window_tokens,
        **given(min_styles=min_styles, max_styles=max_styles, seed=seed),
    )
    with display.progress() as progress:
        report = run(workspace, settings, progress)
    display.say(f"{report.n_captions:,} captions of {report.n_pieces:,} pieces, embedded by {report.encoder}")
    if report.n_texts_embedded:
        speed = f"{report.embedding_s:.1f} s, {report.texts_per_s:,.0f} texts/s"
        display.say(f"{report.n_texts_embedded:,} different texts embedded in {speed}, the encoder's start included")
    show_styles(display, report.styles)
    display.table("Training windows", _window_rows(report.windows))


def _window_rows(windows: WindowStatistics) -> dict[str, str]:
    from amt_ray.training.statistics import RARE

    n_none, n_events, folded = windows.pieces_without_windows, len(windows.event_counts), windows.folded
    bent = folded.get("pitches", 0) + folded.get("drums", 0)
    return {
        "Pieces": f"{windows.pieces:,}" + (f"; {n_none:,} gave none (see the workspace's rejects)" if n_none else ""),
        "Windows": f"{windows.windows:,}, {windows.validation_windows:,} of them for validation",
        "Events": f"{windows.tokens:,}, {windows.validation_tokens:,} of them for validation",
        "Context": f"{windows.context_tokens:,} of the events are bars of the window before",
        "Events a window": f"median {windows.median_tokens:,.0f}, 95 % have at most {windows.p95_tokens:,.0f}",
        "Different events": f"{windows.events_used} of {n_events}, {windows.events_rare} of them under {RARE} times",
        "Notes": f"{windows.notes:,}; {bent:,} folded into range, {folded.get('merged_notes', 0):,} merged",
        "Over-long bars": f"{windows.overlong_bars:,} left out, with {windows.overlong_notes:,} notes",
        "Padding": f"{windows.padding_share:.1%} of batches of {windows.batch_tokens:,} events",
    }


def generate(
    text: Annotated[str, typer.Argument(help="What the music should be.")],
    model: Annotated[str, typer.Option(help="Model bundle, such as WORKSPACE/model.")],
    out: Annotated[str, typer.Option("--out", "-o", help="The .mid to write.")] = "out.mid",
    seed: Annotated[int | None, typer.Option(help="Same seed, same bytes; random by default.")] = None,
    temperature: Annotated[float, typer.Option(help="Below 1 safer, above 1 wilder.")] = 0.8,
    top_k: Annotated[int, typer.Option(help="Draw from so many likeliest events.")] = 50,
    top_p: Annotated[float, typer.Option(help="Draw from the likeliest events of this probability.")] = 0.9,
    max_tokens: Annotated[int | None, typer.Option(help="Most events.")] = None,
    instruments: Annotated[str | None, typer.Option(help="Comma-separated names or program numbers.")] = None,
    key: Annotated[str | None, typer.Option(help="Such as 'D minor'.")] = None,
    tempo: Annotated[float | None, typer.Option(help="Quarter notes a minute.")] = None,
    metre: Annotated[str | None, typer.Option(help="Such as 3/4.")] = None,
    bars: Annotated[int | None, typer.Option(help="How many bars.")] = None,
    wav: Annotated[bool, typer.Option("--wav", help="Write the sound beside the .mid, too.")] = False,
    png: Annotated[bool, typer.Option("--png", help="Write a piano roll beside the .mid, too.")] = False,
    device: Annotated[Device, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Turn a sentence into a .mid; an option always wins over what the sentence says."""
    from amt_ray.generation.composer import Composer
    from amt_ray.generation.request import new_request

    request = new_request(
        text=text,
        seed=random.SystemRandom().randrange(2**31) if seed is None else seed,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        max_tokens=max_tokens,
        instruments=None if instruments is None else tuple(name.strip() for name in instruments.split(",")),
        key=key,
        tempo_bpm=tempo,
        time_signature=metre,
        bars=bars,
    )
    display = Display()
    composer = Composer.from_pretrained(model, device)
    with display.progress() as progress:
        limit = request.max_tokens or composer.context_tokens
        take = composer.generate_batch([request], lambda step: progress("events", step, limit))[0]
    take.save(out)
    _write_beside(out, take, wav, png)
    _show_take(display, take)
    display.say(f"{out} ({len(take.midi):,} bytes, seed {request.seed}, {take.seconds:.1f} s)")


def _write_beside(out: str, take: Take, wav: bool, png: bool) -> None:
    from pathlib import Path

    from amt_ray.artifacts import write_file

    if wav:
        from amt_ray.media.audio import render_wav

        write_file(Path(out).with_suffix(".wav"), render_wav(take.midi))
    if png:
        from amt_ray.media.pianoroll import draw_piano_roll

        write_file(Path(out).with_suffix(".png"), draw_piano_roll(take.piece, take.plan.request.text))


def _show_take(display: Display, take: Take) -> None:
    from amt_ray.generation.statistics import describe

    analysis, request = take.plan.analysis, take.plan.request
    moods = ", ".join(f"{label.name} ({label.confidence:.2f})" for label in analysis.moods)
    genres = ", ".join(f"{label.name} ({label.confidence:.2f})" for label in analysis.genres)
    understood = {
        "Cleaned": analysis.cleaned,
        "Keywords": ", ".join(analysis.keywords),
        "Emotion": moods or "not stated",
        "Genre": genres or "not stated",
        "Instruments": ", ".join(mention.name for mention in analysis.instruments) or "not stated",
        "Similarity to the nearest style": f"{take.similarity:.2f}",
        "Sampling": f"temperature {request.temperature:g}, top-k {request.top_k or 'off'}, top-p {request.top_p:g}",
    }
    display.table("Text", understood)
    display.table("Piece", describe(take.piece, len(take.ids)))
    marks = {True: "✓", False: "✗"}
    checks = [(f"{marks[c.is_met]} {c.name}", f"asked {c.asked}, got {c.got}") for c in take.checks]
    display.table("Requests", checks)


def demo(out: Annotated[str, typer.Argument(help="Folder for the library, the model and the music.")] = "demo") -> None:
    """Go the whole line on this machine: a library, a tiny model, three pieces to hear, one page that plays them."""
    from amt_ray.pipelines.demo import run_demo

    display = Display()
    with display.progress() as progress:
        report = run_demo(out, progress, progress.record, lambda step: display.say_progress(f"→ {step}"))
    times = {step: f"{seconds:.0f} s" for step, seconds in report.seconds_by_step.items()}
    display.table("Time", times | {"in all": f"{sum(report.seconds_by_step.values()):.0f} s"})
    display.say(f"open {report.page} in a browser")


def serve(
    model: Annotated[str, typer.Option(help="Model bundle, such as WORKSPACE/model.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
    replicas: Annotated[int, typer.Option(min=1, help="Copies of the model, each on a CPU or a GPU of its own.")] = 1,
    device: Annotated[Device, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Serve a model over HTTP: POST /v1/generate, GET /healthz; ends with Ctrl-C."""
    from amt_ray.serving.run import serve_model

    display = Display()

    def on_ready(url: str) -> None:
        display.say(f"listening on {url}; try:")
        display.say(f"""  curl -d '{{"text": "a fast reel for fiddle"}}' -o x.mid {url}/v1/generate""")

    serve_model(model, host, port, replicas, use_gpu=device == "cuda", on_ready=on_ready)
    display.say("stopped")
