import json

import pytest

from amt_ray.cli.main import main
from amt_ray.training.examine import Answer, Examination, Losses
from amt_ray.training.validation import Score

REPORT = Examination(
    n_windows=86,
    model=Score(1500.0, 1000, 250),
    ngram=Score(2000.0, 1000, 250),
    unigram=Score(4000.0, 1000, 250),
    answers=(
        Answer("style", 1086, Losses(1.5, 1.53125, 1.5625)),
        Answer("genre", 1, None),
        Answer("all controls and text", 86, Losses(1.5, 1.49996, 2.0)),
    ),
)


@pytest.fixture
def examined(monkeypatch):
    """The arguments of each examination."""
    calls = []

    def examine_model(*arguments):
        calls.append(arguments[:-1])
        return REPORT

    monkeypatch.setattr("amt_ray.pipelines.examine.examine_model", examine_model)
    return calls


def test_the_tables_fit_an_ordinary_terminal(examined, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["examine", "w"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert [" ".join(line.split()) for line in shown.splitlines()] == [
        "Prediction of 86 validation windows, 1,000 events, 250 notes",
        "nats per event bits per note",
        "model 1.500 8.66",
        "4-gram 2.000 11.54",
        "unigram 4.000 23.08",
        "Nats per event: control true, of another window (shuffled), left out",
        "control windows true shuffled without shuffled - true",
        "style 1,086 1.500 1.531 1.562 +0.0312",
        "genre 1 - - - -",
        "all controls and text 86 1.500 1.500 2.000 -0.0000",
    ]
    assert examined == [("w", None, 200, "cpu")]


def test_as_json_it_is_one_object(examined, capsys):
    assert main(["examine", "w", "--json", "--bundle", "m", "--windows", "7"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["windows"], told["events"], told["notes"]) == (86, 1000, 250)
    assert told["model"] == {"loss": 1.5, "bits_per_note": pytest.approx(8.656, abs=1e-3)}
    assert [told[name]["loss"] for name in ("4-gram", "unigram")] == [2.0, 4.0]
    assert told["controls"]["style"] == {
        "windows": 1086,
        "true": 1.5,
        "shuffled": 1.53125,
        "without": 1.5625,
        "shuffled_minus_true": 0.03125,
        "without_minus_true": 0.0625,
    }
    assert told["controls"]["genre"] == {"windows": 1} | dict.fromkeys(list(told["controls"]["style"])[1:])
    assert examined == [("w", "m", 7, "cpu")]


def test_a_workspace_that_is_not_prepared(tmp_path, capsys):
    assert main(["examine", str(tmp_path / "w")]) == 4
    assert capsys.readouterr().err == (
        f"error: workspace {tmp_path / 'w'}: it has no sequences yet; run `amt prepare` first.\n"
    )


def test_one_window_is_too_few_to_exchange_anything(capsys):
    assert main(["examine", "w", "--windows", "1"]) == 2
    assert "--windows" in capsys.readouterr().err
