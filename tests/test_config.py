import pytest
from pydantic import ValidationError

from amt_ray.config import (
    PRESET_TRAINING,
    PRESETS,
    CollectSettings,
    Limits,
    ModelShape,
    PrepareSettings,
    TrainSettings,
    WikipediaSettings,
    train_settings,
)

ALL_SETTINGS = (Limits, WikipediaSettings, CollectSettings, PrepareSettings, TrainSettings)


@pytest.mark.parametrize("settings", ALL_SETTINGS)
def test_a_misspelt_name_is_refused(settings):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        settings(widnow_tokens=1)


@pytest.mark.parametrize("settings", ALL_SETTINGS)
def test_settings_are_frozen_and_survive_json(settings):
    made = settings()
    name = next(iter(settings.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made, name, getattr(made, name))
    assert settings.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        (Limits, {"max_file_bytes": 0}),
        (Limits, {"min_notes": 0}),
        (Limits, {"min_duration_s": -1}),
        (PrepareSettings, {"max_styles": 17}),
        (PrepareSettings, {"min_styles": 1}),
        (PrepareSettings, {"window_tokens": 63}),
        (PrepareSettings, {"validation_share": 0}),
        (PrepareSettings, {"validation_share": 1}),
        (TrainSettings, {"epochs": 0}),
        (TrainSettings, {"learning_rate": 0}),
        (TrainSettings, {"label_smoothing": 1}),
        (TrainSettings, {"control_dropout": 1}),
        (TrainSettings, {"mixed_precision": "fp8"}),
        (TrainSettings, {"preset": "huge"}),
        (TrainSettings, {"checkpoint_steps": 0}),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(settings, values):
    with pytest.raises(ValidationError) as caught:
        settings(**values)
    assert [error["loc"] for error in caught.value.errors()] == [tuple(values)]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_gives_its_own_training(preset):
    settings = train_settings(preset)
    assert settings.preset == preset
    assert {name: getattr(settings, name) for name in PRESET_TRAINING[preset]} == PRESET_TRAINING[preset]


def test_what_is_given_wins_over_the_preset_and_none_is_not_given():
    settings = train_settings("tiny", learning_rate=0.5, batch_tokens=None, seed=7)
    assert (settings.learning_rate, settings.batch_tokens, settings.seed, settings.max_steps) == (0.5, 2048, 7, 600)


def test_naming_epochs_lifts_the_step_limit_unless_both_are_named():
    assert (train_settings("tiny", epochs=3).epochs, train_settings("tiny", epochs=3).max_steps) == (3, None)
    assert train_settings("tiny", epochs=3, max_steps=10).max_steps == 10


@pytest.mark.parametrize("preset", PRESETS)
def test_heads_share_the_width_evenly(preset):
    shape = PRESETS[preset]
    assert shape.hidden_dim % shape.heads == 0
    assert ModelShape(**shape.model_dump()) == shape


def test_a_shape_is_the_presets_with_what_is_given_in_its_place():
    shape = train_settings("base", layers=3, hidden_dim=64).shape
    assert shape == ModelShape(layers=3, hidden_dim=64, heads=8)
    assert train_settings("base").shape == PRESETS["base"]


def test_heads_that_do_not_share_the_width_are_refused():
    with pytest.raises(ValidationError, match="hidden_dim: received 128; allowed is a multiple of heads, which are 3"):
        train_settings("tiny", heads=3)
