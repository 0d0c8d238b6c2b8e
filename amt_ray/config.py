"""Settings of every stage: frozen, each field with its unit and its range; an impossible value is refused, never mended."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Preset = Literal["tiny", "small", "base", "large"]
EncoderDevice = Literal["cpu", "cuda", "auto"]


class Settings(BaseModel):
    """Base of all settings: immutable, and a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(Settings):
    """What a MIDI file may be to be taken into `pieces`."""

    max_file_bytes: int = Field(10 * 2**20, gt=0, description="Largest file, in bytes.")
    min_notes: int = Field(16, ge=1, description="Fewest notes.")
    max_notes: int = Field(200_000, ge=1, description="Most notes.")
    min_duration_s: float = Field(2.0, ge=0, description="Shortest piece, in seconds.")
    max_duration_s: float = Field(7200.0, gt=0, description="Longest piece, in seconds.")
    max_tracks: int = Field(256, ge=1, description="Most tracks in the file.")
    max_parse_s: float = Field(60.0, gt=0, description="Longest that reading and measuring one file may take, in seconds.")


class WikipediaSettings(Settings):
    """How Wikipedia, or any other MediaWiki, is asked; the limits hold over everything that one client asks."""

    api_url: str = Field(
        "https://en.wikipedia.org/w/api.php", pattern=r"^https?://[^\s/?#]+/[^\s?#]*$", description="The wiki's `api.php`."
    )
    contact: str = Field(
        "the amt_ray project",
        pattern=r"^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$",
        description="Who asks: an e-mail or web address, told to the wiki with every request as its operators wish.",
    )
    delay_s: float = Field(1.0, ge=0, le=3600, description="Least time from one request's start to the next; 0: none.")
    concurrency: int = Field(4, ge=1, le=64, description="Most requests under way at once.")
    timeout_s: float = Field(30.0, gt=0, le=3600, description="Longest wait for one answer.")
    max_attempts: int = Field(6, ge=1, le=20, description="How often one request is tried.")
    max_wait_s: float = Field(
        300.0, gt=0, le=86400, description="Longest wait between two tries; a wiki that asks for a longer one gets no more."
    )
    maxlag_s: int = Field(5, ge=0, le=3600, description="The wiki refuses when its databases lag behind by more than this.")
    titles_per_request: int = Field(50, ge=1, le=500, description="The wiki's limit; 50 on Wikipedia.")
    extracts_per_request: int = Field(20, ge=1, le=20, description="The wiki's limit; 20 everywhere.")
    search_results: int = Field(10, ge=1, le=20, description="Pages that one search gives.")


class CollectSettings(Settings):
    """MIDI libraries to `pieces`, `rejects` and `articles`."""

    limits: Limits = Limits()
    metadata: str | None = Field(None, description="CSV or JSON lines that say whose music each file is.")
    skip_wikipedia: bool = Field(False, description="Ask no wiki; captions come from the music alone.")
    wikipedia: WikipediaSettings = WikipediaSettings()
    refresh: bool = Field(False, description="Ask again for what was asked before.")
    offline: bool = Field(False, description="Take articles from the cache alone.")
    wikipedia_dump: str | None = Field(None, description="Dump to read instead of the API.")
    wikipedia_cache: str | None = Field(None, description="Folder of the cache; by default in the workspace.")


class PrepareSettings(Settings):
    """`pieces` to captions, embeddings, styles and sequences."""

    encoder: str = Field("all-MiniLM-L6-v2", description="Sentence encoder: a hub name or a local folder.")
    device: EncoderDevice = Field("auto", description="What the encoder runs on; auto: GPUs where Ray has some.")
    batch_size: int = Field(32, ge=1, le=4096, description="Texts that the encoder reads at once.")
    min_styles: int = Field(2, ge=2, le=16, description="Fewest styles tried.")
    max_styles: int = Field(10, ge=2, le=16, description="Most styles tried; the event language has 16.")
    window_tokens: int = Field(1024, ge=64, le=4096, description="Most events in a training window.")
    validation_share: float = Field(0.1, gt=0, lt=1, description="Share of pieces, by hash, that are never trained on.")
    seed: int = Field(0, ge=0, description="Seed of the clustering.")


class ModelShape(Settings):
    """Size of the conditional GPT-2."""

    layers: int = Field(gt=0)
    hidden_dim: int = Field(gt=0, description="Width; a multiple of `heads`.")
    heads: int = Field(gt=0)
    context_tokens: int = Field(1024, gt=0, description="Most events in one sequence.")
    prefix_tokens: int = Field(4, gt=0, description="Soft vectors made of the sentence embedding, in front of BOS.")
    dropout: float = Field(0.1, ge=0, lt=1)


class TrainSettings(Settings):
    """`sequences` to a model bundle."""

    preset: Preset = "tiny"
    layers: int | None = Field(None, gt=0, description="In place of the preset's.")
    hidden_dim: int | None = Field(None, gt=0, description="In place of the preset's; a multiple of `heads`.")
    heads: int | None = Field(None, gt=0, description="In place of the preset's.")
    dropout: float | None = Field(None, ge=0, lt=1, description="In place of the preset's.")
    epochs: int = Field(20, gt=0, description="Passes over the training windows, unless `max_steps` ends them sooner.")
    max_steps: int | None = Field(None, gt=0, description="Optimizer steps after which training ends.")
    max_minutes: float | None = Field(None, gt=0, description="Minutes after which training ends.")
    batch_tokens: int = Field(8192, gt=0, description="Events in a worker's batch, padding included.")
    learning_rate: float = Field(1e-4, gt=0)
    warmup_share: float = Field(0.05, ge=0, lt=1, description="Share of the steps in which the rate rises.")
    weight_decay: float = Field(0.01, ge=0)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    max_grad_norm: float = Field(1.0, gt=0)
    control_dropout: float = Field(0.2, ge=0, lt=1, description="Chance that one control is left out of a window.")
    prefix_dropout: float = Field(0.1, ge=0, lt=1, description="Chance that the text is left out of a window.")
    augment: bool = Field(True, description="Whether windows are transposed, and their tempo and loudness changed.")
    infill_share: float = Field(0.25, ge=0, le=1, description="Share of windows with bars or a part to be filled in.")
    mixed_precision: Literal["no", "bf16", "fp16", "auto"] = Field("auto", description="auto: bf16 on GPUs that have it.")
    gradient_checkpointing: bool = False
    workers: int = Field(1, gt=0, description="Data-parallel Ray Train workers; their batches make one.")
    min_workers: int | None = Field(None, gt=0, description="Train on with so few of them when the cluster has no more.")
    use_gpu: bool = False
    shard: bool = Field(False, description="Spread weights and optimizer over the workers (FSDP) instead of copying them.")
    compile_layers: bool | None = Field(None, description="Compile the layers; None: on GPUs.")
    accumulation: int = Field(1, gt=0, description="Parts in which a worker's batch goes through the model.")
    validation_tokens: int = Field(32_768, gt=0, description="Events that are validated on.")
    validation_steps: int = Field(1000, gt=0, description="Steps between validations, beside those at the ends of epochs.")
    checkpoint_steps: int = Field(50, gt=0, description="After every so many steps there may be a checkpoint.")
    checkpoint_s: float = Field(60.0, ge=0, description="Least time between two checkpoints, in seconds.")
    seed: int = Field(0, ge=0)

    @property
    def shape(self) -> ModelShape:
        """The preset's shape, with what is given in its place."""
        preset = PRESETS[self.preset].model_dump()
        given = {name: getattr(self, name) for name in ("layers", "hidden_dim", "heads", "dropout")}
        return ModelShape(**preset | {name: value for name, value in given.items() if value is not None})

    @model_validator(mode="after")
    def _fits_together(self) -> TrainSettings:
        preset = PRESETS[self.preset]
        hidden_dim, heads = self.hidden_dim or preset.hidden_dim, self.heads or preset.heads
        if hidden_dim % heads:
            raise ValueError(f"hidden_dim: received {hidden_dim}; allowed is a multiple of heads, which are {heads}")
        if self.mixed_precision == "fp16" and not self.use_gpu:
            raise ValueError("mixed_precision: received fp16; allowed on a CPU are no, bf16 and auto")
        if (self.min_workers or 1) > self.workers:
            raise ValueError(f"min_workers: received {self.min_workers}; allowed are 1 to workers, which are {self.workers}")
        return self


# Small models bear, and need, a higher rate; `tiny` is made for minutes on a CPU, so it ends after a number of steps.
PRESET_TRAINING: dict[Preset, dict[str, Any]] = {
    "tiny": {"learning_rate": 3e-3, "batch_tokens": 2048, "max_steps": 600, "augment": False, "infill_share": 0.0},
    "small": {"learning_rate": 6e-4, "batch_tokens": 16384, "validation_tokens": 131_072},
    "base": {"learning_rate": 4e-4, "batch_tokens": 32768, "validation_tokens": 524_288},
    "large": {"shard": True, "learning_rate": 2e-4, "batch_tokens": 32768, "validation_tokens": 524_288},
}


NO_EPOCH_LIMIT = 1_000_000


def train_settings(preset: Preset, **given: Any) -> TrainSettings:
    """Settings of a preset with what the user gave (None: not given).

    Naming `epochs` or `max_minutes` lifts the preset's step limit, naming `max_minutes` the limit of epochs, naming
    `checkpoint_steps` the least time between checkpoints.
    """
    stated = {name: value for name, value in given.items() if value is not None}
    defaults = dict(PRESET_TRAINING[preset])
    if "epochs" in stated or "max_minutes" in stated:
        defaults.pop("max_steps", None)
    if "max_minutes" in stated:
        defaults["epochs"] = NO_EPOCH_LIMIT
    if "checkpoint_steps" in stated:
        defaults["checkpoint_s"] = 0.0
    return TrainSettings(**{"preset": preset, **defaults, **stated})


PRESETS: dict[Preset, ModelShape] = {
    "tiny": ModelShape(layers=4, hidden_dim=128, heads=4),
    "small": ModelShape(layers=6, hidden_dim=384, heads=6),
    "base": ModelShape(layers=8, hidden_dim=480, heads=8),
    "large": ModelShape(layers=6, hidden_dim=1024, heads=8),
}
