"""`amt train`: from a prepared workspace to a model bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from amt_ray.config import PRESETS, Preset, TrainSettings, train_settings
from amt_ray.console import Display

if TYPE_CHECKING:
    from amt_ray.pipelines.train import TrainReport

LOSSES = ("loss", "validation_loss", "validation_loss_without_controls", "validation_loss_without_text")


def train(
    workspace: Annotated[str, typer.Argument(help="Folder that `amt prepare` has filled.")],
    preset: Annotated[Preset, typer.Option(help="Size of the model and settings that suit it.")] = "tiny",
    layers: Annotated[int | None, typer.Option(help="In place of the preset's.")] = None,
    hidden_dim: Annotated[int | None, typer.Option(help="In place of the preset's; a multiple of --heads.")] = None,
    heads: Annotated[int | None, typer.Option(help="In place of the preset's.")] = None,
    dropout: Annotated[float | None, typer.Option(help="In place of the preset's.")] = None,
    bundle: Annotated[str | None, typer.Option(help="Where the model goes; WORKSPACE/model by default.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training windows.")] = None,
    max_steps: Annotated[int | None, typer.Option("--steps", help="Optimizer steps after which training ends.")] = None,
    max_minutes: Annotated[float | None, typer.Option("--minutes", help="Minutes after which training ends.")] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="Events in a worker's batch.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="The same in windows of 1,024 events.")] = None,
    accumulation: Annotated[int | None, typer.Option(help="Parts in which a batch goes through the model.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Model whose weights are trained further.")] = None,
    workers: Annotated[int | None, typer.Option(help="Data-parallel workers; their batches make one.")] = None,
    min_workers: Annotated[int | None, typer.Option(help="Go on with so few when the cluster has no more.")] = None,
    shard: Annotated[bool | None, typer.Option(help="Spread the model over the workers (FSDP), as large does.")] = None,
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="cpu or cuda (one GPU a worker).")] = "cpu",
    mixed_precision: Annotated[
        Literal["auto", "no", "bf16", "fp16"] | None, typer.Option(help="auto: bf16 on GPUs.")
    ] = None,
    gradient_checkpointing: Annotated[bool | None, typer.Option(help="Less memory, more time.")] = None,
    compile_layers: Annotated[bool | None, typer.Option("--compile/--no-compile", help="By default on GPUs.")] = None,
    augment: Annotated[bool | None, typer.Option(help="Transpose windows, change their tempo and loudness.")] = None,
    infill_share: Annotated[float | None, typer.Option(help="Share of windows with bars or a part to fill in.")] = None,
    label_smoothing: Annotated[float | None, typer.Option(help="0: none.")] = None,
    checkpoint_steps: Annotated[int | None, typer.Option(help="Between checkpoints; by default a minute apart.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed and data: same model.")] = 0,
) -> None:
    """Train a conditional GPT-2 on the prepared pieces; a run that was stopped goes on."""
    given = {name: value for name, value in locals().items() if name in TrainSettings.model_fields}
    from amt_ray.pipelines.train import train_model

    display = Display()
    if batch_size is not None:
        given["batch_tokens"] = batch_size * PRESETS[preset].context_tokens
    settings = train_settings(**given, use_gpu=device == "cuda")
    with display.progress() as progress:
        report = train_model(workspace, settings, bundle, progress.record, start, display.say_progress)
    _show(display, preset, settings, report)


def _show(display: Display, preset: Preset, settings: TrainSettings, report: TrainReport) -> None:
    verb = "is trained already" if report.was_current else f"trained in {report.seconds:.0f} s"
    display.say(f"{preset} model, {report.parameters / 1e6:.1f} M parameters, {verb}")
    losses = {name.replace("_", " "): report.metrics[name] for name in LOSSES if name in report.metrics}
    display.table("Nats per event", {name: f"{value:.3f}" for name, value in losses.items()})
    if settings.max_steps is not None:
        display.say(f"ended after {report.metrics['steps']} steps; --epochs or --steps trains longer")
    display.say(f"model: {report.bundle}")
