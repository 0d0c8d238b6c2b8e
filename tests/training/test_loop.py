import json
import math

import numpy as np
import pytest
import torch
from strategies import compose

from amt_ray.config import ModelShape, TrainSettings
from amt_ray.errors import OutputError, TrainingError
from amt_ray.events.quantise import quantise
from amt_ray.events.vocabulary import N_IDS
from amt_ray.model.conditional_gpt2 import new_model
from amt_ray.training import run as run_module
from amt_ray.training.batches import Rows, plan_epoch
from amt_ray.training.context import LocalContext
from amt_ray.training.exchange import rows_at
from amt_ray.training.loop import train
from amt_ray.training.windows import Labels, cut_windows

RUNS: list[bool] = []
SHAPE = ModelShape(layers=1, hidden_dim=32, heads=2, context_tokens=256)
TEXT_DIM = 8


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    torch.set_num_threads(1)


def rows_of(seeds):
    windows = [(i, w) for i, seed in enumerate(seeds) for w in cut_windows(quantise(compose(seed, 4)), Labels(), 128)]
    lengths = [len(window.ids) for _, window in windows]
    return Rows(
        ids=np.concatenate([window.ids for _, window in windows]),
        starts=np.append(0, np.cumsum(lengths)),
        n_controls=np.array([window.n_controls for _, window in windows]),
        n_context=np.zeros(len(windows), np.int64),
        texts=[np.array([i]) for i, _ in windows],
        text_vectors=np.eye(len(seeds), TEXT_DIM, dtype=np.float32),
    )


@pytest.fixture(scope="module")
def rows():
    return rows_of((0, 1, 2))


def settings(**changes):
    given = {
        "batch_tokens": 512,
        "learning_rate": 1e-2,
        "epochs": 100,
        "max_steps": 20,
        "checkpoint_steps": 1000,
        "checkpoint_s": 0,
    }
    return TrainSettings(**{**given, **changes})


def run(rows, folder, validation=None, shape=SHAPE, **changes):
    folder.mkdir(exist_ok=True)
    context = LocalContext(folder)
    trained = train(rows, rows if validation is None else validation, shape, settings(**changes), context)
    return trained, context.records


def weights(trained):
    return {name: value.clone() for name, value in trained.model.state_dict().items()}


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def small_model(context_tokens):
    return new_model(SHAPE.model_copy(update={"context_tokens": context_tokens}), TEXT_DIM)


def losses(records):
    return [record["loss"] for record in records]


@pytest.fixture(scope="module")
def undisturbed(rows, tmp_path_factory):
    return run(rows, tmp_path_factory.mktemp("undisturbed"))


def test_the_loss_falls_far_on_a_few_rows(rows, tmp_path):
    trained, records = run(
        rows, tmp_path, max_steps=40, label_smoothing=0.0, control_dropout=0.0, prefix_dropout=0.0,
        shape=SHAPE.model_copy(update={"dropout": 0.0}),
    )  # fmt: skip
    assert 0 < losses(records)[0] - math.log(N_IDS) < 1
    assert np.mean(losses(records)[-5:]) < 2.6
    assert trained.metrics["validation_loss"] < 2.6
    assert not hasattr(trained.model, "module")


def test_records_say_where_the_run_is(undisturbed, rows):
    trained, records = undisturbed
    n_batches = len(plan_epoch(rows.lengths, 512, 0, 0))
    assert [record["step"] for record in records] == list(range(1, 21))
    assert [record["epoch"] for record in records] == [i // n_batches + 1 for i in range(20)]
    assert {record["steps"] for record in records} == {20}
    ends = [record["step"] for record in records if "validation_loss" in record]
    assert ends == sorted({*range(n_batches, 21, n_batches), 20})
    assert trained.metrics == records[-1]
    assert all(record["events_per_s"] > 0 for record in records)


def test_long_epochs_are_validated_in_between(rows, tmp_path):
    _, records = run(rows, tmp_path, max_steps=7, validation_steps=3, batch_tokens=200)
    assert [record["step"] for record in records if "validation_loss" in record] == [3, 5, 6, 7]
    assert [record["step"] for record in records if record["batch"] == record["batches"]] == [5]


def test_the_same_seed_gives_the_same_run_and_another_does_not(undisturbed, rows, tmp_path):
    trained, records = run(rows, tmp_path / "same")
    assert losses(records) == losses(undisturbed[1])
    assert same(weights(trained), weights(undisturbed[0]))
    assert losses(run(rows, tmp_path / "other", seed=1)[1]) != losses(undisturbed[1])


class Killed(Exception):
    """Stands for a worker that goes away."""


class KilledAt(LocalContext):
    def __init__(self, folder, step):
        super().__init__(folder)
        self.last = step

    def log(self, record):
        super().log(record)
        if record["step"] == self.last:
            raise Killed


@pytest.mark.parametrize(("killed_at", "goes_on_from"), [(10, 5), (13, 10), (3, 0)])
def test_going_on_after_a_kill_gives_the_undisturbed_run_bit_for_bit(undisturbed, rows, tmp_path, killed_at, goes_on_from):
    with pytest.raises(Killed):
        train(rows, rows, SHAPE, settings(checkpoint_steps=5), KilledAt(tmp_path, killed_at))
    torch.manual_seed(99)
    trained, records = run(rows, tmp_path, checkpoint_steps=5)
    assert [record["step"] for record in records] == list(range(goes_on_from + 1, 21))
    assert losses(records) == losses(undisturbed[1])[goes_on_from:]
    assert records[-1]["validation_loss"] == undisturbed[1][-1]["validation_loss"]
    assert same(weights(trained), weights(undisturbed[0]))


def test_a_run_that_had_ended_is_given_back_as_it_ended(rows, tmp_path):
    first, _ = run(rows, tmp_path, max_steps=4)
    again, records = run(rows, tmp_path, max_steps=4)
    assert records == []
    assert again.metrics == first.metrics
    assert same(weights(again), weights(first))


def test_what_on_finish_adds_is_kept_with_the_last_checkpoint(rows, tmp_path):
    seen = []

    def on_finish(trained, folder):
        seen.append(trained.metrics["step"])
        (folder / "extra.txt").write_text("kept")

    train(rows, rows, SHAPE, settings(max_steps=4, checkpoint_steps=2), LocalContext(tmp_path), on_finish)
    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] == ["checkpoint_00000002", "checkpoint_00000004"]
    assert [(path / "extra.txt").exists() for path in kept] == [False, True]
    assert seen == [4]
    assert json.loads((kept[0] / "record.json").read_text())["step"] == 2


def test_without_validation_rows_there_is_no_validation_loss(rows, tmp_path):
    none = rows_at(rows, [])
    trained, _ = run(rows, tmp_path, none, max_steps=1)
    assert "validation_loss" not in trained.metrics


def test_gradient_checkpointing_changes_memory_and_nothing_else(rows, tmp_path):
    shape = SHAPE.model_copy(update={"dropout": 0.0})
    plain, plain_records = run(rows, tmp_path / "plain", shape=shape, max_steps=5)
    saving, saving_records = run(rows, tmp_path / "saving", shape=shape, max_steps=5, gradient_checkpointing=True)
    assert losses(saving_records) == pytest.approx(losses(plain_records), rel=1e-5)
    assert saving.model.is_activation_checkpointing
    assert not plain.model.is_activation_checkpointing


def test_a_training_by_the_clock_ends_with_its_minutes_and_stays_ended(rows, tmp_path):
    trained, records = run(rows, tmp_path, max_minutes=0.05, max_steps=None, epochs=10_000)
    assert 1.5 < records[-1]["seconds"] < 10
    assert records[-1]["is_last"]
    assert "validation_loss" in records[-1]
    assert records[-1]["learning_rate"] == pytest.approx(0.1 * 1e-2)
    again, more = run(rows, tmp_path, max_minutes=0.05, max_steps=None, epochs=10_000)
    assert (again.metrics, more) == (trained.metrics, [])


def test_memory_that_runs_out_halves_what_goes_through_at_once_and_changes_nothing_else(rows, tmp_path, monkeypatch):
    shape = SHAPE.model_copy(update={"dropout": 0.0})
    _, plain_records = run(rows, tmp_path / "plain", shape=shape, max_steps=4, batch_tokens=2000)
    whole = run_module.event_loss
    most_rows, calls = 3, []

    def small_memory(model, batch, *others):
        calls.append(len(batch.ids_BT))
        # The second part, so that the first one has left gradients.
        if len(batch.ids_BT) > most_rows and len(calls) != 1:
            raise torch.OutOfMemoryError
        return whole(model, batch, *others)

    monkeypatch.setattr(run_module, "event_loss", small_memory)
    (tmp_path / "small").mkdir()
    context = LocalContext(tmp_path / "small")
    none = rows_at(rows, [])
    train(rows, none, shape, settings(max_steps=4, batch_tokens=2000, accumulation=2), context)
    assert context.records[-1]["parts"] > 1
    assert losses(context.records) == pytest.approx(losses(plain_records), rel=1e-5)


def test_a_row_that_memory_does_not_hold_is_one_sentence(rows, tmp_path, monkeypatch):
    def no_memory(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(run_module, "event_loss", no_memory)
    with pytest.raises(TrainingError) as caught:
        run(rows, tmp_path)
    assert str(caught.value) == (
        "training stopped: memory is too small for 1 windows at once; "
        "train with --gradient-checkpointing or a smaller --preset."
    )


def test_a_loss_that_is_no_number_stops_at_its_step_and_leaves_the_checkpoint_before(rows, tmp_path, monkeypatch):
    whole, calls = run_module.event_loss, []

    def sometimes_nan(*arguments):
        calls.append(0)  # validation has the function from elsewhere
        factor = float("nan") if len(calls) == 4 else 1.0
        return tuple(loss * factor for loss in whole(*arguments))

    monkeypatch.setattr(run_module, "event_loss", sometimes_nan)
    with pytest.raises(TrainingError, match="the loss of step 4 is nan, its gradient nan"):
        run(rows, tmp_path, max_steps=6, checkpoint_steps=2, epochs=1000, batch_tokens=10**6)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint_00000002"]


def test_an_endless_gradient_stops_before_it_reaches_the_weights(rows, tmp_path, monkeypatch):
    clip = run_module.Accelerator.clip_grad_norm_
    monkeypatch.setattr(
        run_module.Accelerator, "clip_grad_norm_", lambda self, *args: clip(self, *args) * (math.inf if RUNS.pop() else 1.0)
    )
    RUNS[:] = [True, False, False]
    with pytest.raises(TrainingError, match=r"the loss of step 3 is \d.*, its gradient inf"):
        run(rows, tmp_path, max_steps=4)


def test_training_without_windows_or_with_too_long_ones_is_refused(rows, tmp_path):
    none = rows_at(rows, [])
    with pytest.raises(TrainingError, match="there are no windows to train on"):
        run(none, tmp_path, rows)
    with pytest.raises(TrainingError, match=r"the longest window has \d+ events, and the model has room for 50;"):
        train(rows, rows, SHAPE, settings(), LocalContext(tmp_path), initial=small_model(50))


def test_a_run_with_other_heads_does_not_go_on(rows, tmp_path):
    run(rows, tmp_path, max_steps=1)
    with pytest.raises(TrainingError, match="the run that is there has 2 heads"):
        run(rows, tmp_path, max_steps=2, shape=SHAPE.model_copy(update={"heads": 4}))


def test_a_damaged_checkpoint_is_named(rows, tmp_path):
    run(rows, tmp_path, max_steps=2)
    state = tmp_path / "checkpoint_00000002" / "state.pt"
    for damage in (lambda: state.write_bytes(state.read_bytes()[:1000]), lambda: state.write_bytes(b""), state.unlink):
        damage()
        with pytest.raises(TrainingError, match="checkpoint_00000002 is damaged; delete it to go on from the one before"):
            run(rows, tmp_path, max_steps=3)


def test_a_disk_that_is_full_is_one_sentence(rows, tmp_path, monkeypatch):
    def full(state, path):
        raise RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0\nbacktrace")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OutputError, match=r"the checkpoint did not fit or may not be there \(.*unexpected pos 64 vs 0\); "):
        run(rows, tmp_path, max_steps=1)
