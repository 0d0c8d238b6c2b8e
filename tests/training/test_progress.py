import pytest

from amt_ray.config import NO_EPOCH_LIMIT
from amt_ray.training.progress import LINE_INTERVAL_S, Lines, Notices, clock, epoch_line, step_line

STEP = {
    "step": 8, "epoch": 2, "epochs": 20, "batch": 3, "batches": 55, "loss": 4.23411, "learning_rate": 1e-4,
    "parts": 1, "parts_at_first": 1,
    "events_per_s": 12345.6, "memory_bytes": 1.25e9, "seconds_left": 3723.0, "epoch_loss": 4.5, "is_last": False,
}  # fmt: skip
VALIDATION = {
    "validation_loss": 3.5, "validation_loss_without_controls": 3.6, "validation_loss_without_text": 3.7,
    "bits_per_note": 12.0,
}  # fmt: skip


def test_a_step_is_told_as_epoch_batch_loss_rate_speed_and_memory():
    assert step_line(STEP) == "Epoch 2/20  Batch 3/55: Loss=4.2341, LR=1.00e-04, 12,346 tokens/s, 1.2 GB"
    assert step_line(STEP | {"epochs": NO_EPOCH_LIMIT}).startswith("Epoch 2  Batch 3/55: ")


def test_an_epoch_ends_with_its_mean_and_what_was_validated():
    assert epoch_line(STEP) == "Epoch 2/20  Average Loss: 4.5000"
    assert epoch_line(STEP | VALIDATION) == (
        "Epoch 2/20  Average Loss: 4.5000, validation loss 3.5000 (without controls 3.6000, without text 3.7000), "
        "12.00 bits a note"
    )


def test_more_parts_and_the_ends_of_epochs_are_noticed():
    notices = Notices()
    steps = [STEP, STEP | {"step": 9, "parts": 4}, STEP | {"step": 10, "parts": 4, "batch": 55}]
    assert [list(notices.of(step)) for step in steps] == [
        [],
        ["memory ran out at step 9: batches go through the model in 4 parts now"],
        ["Epoch 2/20  Average Loss: 4.5000"],
    ]
    assert list(notices.of(STEP | {"parts": 4, "is_last": True})) == ["Epoch 2/20  Average Loss: 4.5000"]


def test_a_log_has_a_line_every_few_seconds_with_what_is_left_and_one_at_the_end():
    lines = Lines()
    said = [list(lines.of(STEP, now_s)) for now_s in (100.0, 101.0, 100.0 + LINE_INTERVAL_S)]
    assert [len(of_step) for of_step in said] == [1, 0, 1]
    assert said[0] == [f"{step_line(STEP)}, 1:02:03 left"]
    assert list(lines.of(STEP | {"is_last": True}, 106.0)) == [step_line(STEP), epoch_line(STEP)]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (754, "12:34"), (3600, "1:00:00")])
def test_durations_read_as_a_clock(seconds, text):
    assert clock(seconds) == text
