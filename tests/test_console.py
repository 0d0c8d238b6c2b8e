import io

from rich.console import Console

from amt_ray.console import Display, ShowProgress, _Log


def logged(steps):
    lines = []
    show = ShowProgress(_Log(lines.append), lines.append)
    for what, done, total in steps:
        show(what, done, total)
    return lines


def test_a_log_has_the_end_once_and_says_what_and_how_far():
    lines = logged([("files", 0, 200), ("files", 100, 200), ("files", 200, 200), ("files", 200, 200)])
    assert len(lines) == 1
    assert lines[0].startswith("files: 200 of 200 (100%")


def test_each_kind_of_thing_has_its_own_lines():
    lines = logged([("files", 1, 1), ("texts", 2, 2)])
    assert [line.split(":")[0] for line in lines] == ["files", "texts"]


def test_a_training_shows_its_steps_and_how_epochs_ended():
    lines = []
    step = {
        "step": 8, "steps": 9, "epoch": 2, "epochs": 2, "batch": 3, "batches": 4, "loss": 3.14159, "learning_rate": 3e-4,
        "events_per_s": 12345.6, "memory_bytes": 1.25e9, "parts": 1, "parts_at_first": 1, "epoch_loss": 3.5,
        "seconds": 4.0, "is_last": False,
    }  # fmt: skip
    show = ShowProgress(_Log(lines.append), lines.append)
    show.record(step)
    show.record(step | {"step": 9, "batch": 4, "is_last": True})
    assert lines[0].startswith("steps: 9 of 9 (100%")
    assert lines[0].endswith("  Epoch 2/2  Batch 4/4: Loss=3.1416, LR=3.00e-04, 12,346 tokens/s, 1.2 GB")
    assert lines[1:] == ["Epoch 2/2  Average Loss: 3.5000"]


def test_what_a_user_wrote_is_shown_as_it_stands():
    display = Display()
    display.out = Console(file=io.StringIO(), width=100)
    display.table("Piece", [("Title", "[bold]loud[/bold]"), ("Title", "twice")])
    display.say("[red]plain[/red]")
    shown = display.out.file.getvalue()
    assert "[bold]loud[/bold]" in shown
    assert "[red]plain[/red]" in shown
    assert shown.count("Title") == 2
