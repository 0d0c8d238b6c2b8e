"""`amt train`: from a prepared workspace to a model bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from amt_ray.config import PRESETS, Preset, TrainSettings, train_settings
from amt_ray.console import Display

if TYPE_CHECKING:
    from amt_ray.pipelines.train import TrainReport


def train(
    workspace: Annotated[str, typer.Argument(help="Folder that `amt prepare` has filled.")],
    preset: Annotated[Preset, typer.Option(help="Size of the model and settings that suit it.")] = "tiny",
    layers: Annotated[int | None, typer.Option(help="In place of the preset's.")] = None,
    hidden_dim: Annotated[int | None, typer.Option(help="In place of the preset's; a multiple of --heads.")] = None,
    heads: Annotated[int | None, typer.Option(help="In place of the preset's.")] = None,
    bundle: Annotated[str | None, typer.Option(help="Where the model goes; WORKSPACE/model by default.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training windows.")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimizer steps after which training ends.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes after which training ends.")] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="Events in a worker's batch.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="The same in windows of 1,024 events.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    workers: Annotated[int | None, typer.Option(help="Data-parallel workers.")] = None,
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="cpu or cuda (one GPU a worker).")] = "cpu",
    gradient_checkpointing: Annotated[bool | None, typer.Option(help="Less memory, more time.")] = None,
    augment: Annotated[bool | None, typer.Option(help="Transpose windows, change their tempo and loudness.")] = None,
    infill_share: Annotated[float | None, typer.Option(help="Share of windows with bars or a part to fill in.")] = None,
    label_smoothing: Annotated[float | None, typer.Option(help="0: none.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed and data: same model.")] = 0,
) -> None:
    """Train a conditional GPT-2 on the prepared pieces; a run that was stopped goes on."""
    from amt_ray.pipelines.train import train_model

    display = Display()
    settings = train_settings(
        preset,
        layers=layers,
        hidden_dim=hidden_dim,
        heads=heads,
        epochs=epochs,
        max_steps=steps,
        max_minutes=minutes,
        batch_tokens=batch_tokens if batch_size is None else batch_size * PRESETS[preset].context_tokens,
        learning_rate=learning_rate,
        workers=workers,
        use_gpu=device == "cuda",
        gradient_checkpointing=gradient_checkpointing,
        augment=augment,
        infill_share=infill_share,
        label_smoothing=label_smoothing,
        seed=seed,
    )
    with display.progress() as progress:
        report = train_model(workspace, settings, bundle, progress.record)
    _show(display, preset, settings, report)


def _show(display: Display, preset: Preset, settings: TrainSettings, report: TrainReport) -> None:
    verb = "is trained already" if report.was_current else f"trained in {report.seconds:.0f} s"
    display.say(f"{preset} model, {report.parameters / 1e6:.1f} M parameters, {verb}")
    losses = {"loss": report.metrics.get("loss"), "validation loss": report.metrics.get("validation_loss")}
    display.table("Nats per event", {name: f"{value:.3f}" for name, value in losses.items() if value is not None})
    if settings.max_steps is not None:
        display.say(f"ended after {report.metrics['steps']} steps; --epochs or --steps trains longer")
    display.say(f"model: {report.bundle}")
