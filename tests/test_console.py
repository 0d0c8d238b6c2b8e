import io

from rich.console import Console

from amt_ray.console import Display, ShowProgress, _Log


def logged(steps):
    lines = []
    show = ShowProgress(_Log(lines.append))
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


def test_a_training_step_shows_loss_rate_and_speed():
    lines = []
    record = {"step": 9, "steps": 9, "epoch": 2, "loss": 3.14159, "learning_rate": 3e-4, "events_per_s": 12345.6}
    ShowProgress(_Log(lines.append)).record(record | {"validation_loss": 2.5})
    assert lines[0].startswith("steps: 9 of 9 (100%")
    assert lines[0].endswith("epoch 2  loss 3.142  rate 3.0e-04  12,346 events/s  validation loss 2.500")


def test_what_a_user_wrote_is_shown_as_it_stands():
    display = Display()
    display.out = Console(file=io.StringIO(), width=100)
    display.table("Piece", [("Title", "[bold]loud[/bold]"), ("Title", "twice")])
    display.say("[red]plain[/red]")
    shown = display.out.file.getvalue()
    assert "[bold]loud[/bold]" in shown
    assert "[red]plain[/red]" in shown
    assert shown.count("Title") == 2
