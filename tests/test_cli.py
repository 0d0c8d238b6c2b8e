"""Each thing that a user can get wrong: one sentence on standard error, the exit code of the table, nothing written."""

import json
import re

import pyarrow as pa
import pytest
from encoders import save_plain_bert

from amt_ray.artifacts import Workspace
from amt_ray.cli import main as cli
from amt_ray.errors import AmtError, EncoderError, InvalidPiece
from amt_ray.schemas import CAPTIONS, EMBEDDINGS
from amt_ray.text.embed import TextEncoder, find_encoder

BLOCKS = ("SPECIAL", "POSITION", "PITCH", "DRUM", "PROGRAM", "VELOCITY", "DURATION", "TEMPO", "KEY", "STYLE", "GENRE")


@pytest.fixture
def run(capsys):
    """Run a command line: exit code, standard output, standard error."""

    def run(*argv):
        code = cli.main([str(part) for part in argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def embedded(folder, encoder, texts):
    """A workspace with these captions, embedded by the encoder of this folder."""
    place, source = Workspace(str(folder)), find_encoder(str(encoder))
    keys = [{"piece_id": str(i), "kind": "features-0"} for i in range(len(texts))]
    rows = [key | {"text": text} for key, text in zip(keys, texts, strict=True)]
    place.write("captions", pa.Table.from_pylist(rows, CAPTIONS), "c", {}, {})
    rows = [key | {"vector": v} for key, v in zip(keys, TextEncoder(str(encoder)).encode(texts).tolist(), strict=True)]
    facts = {"encoder": str(encoder), "fingerprint": source.fingerprint, "dim": 16}
    place.write("embeddings", pa.Table.from_pylist(rows, EMBEDDINGS), "e", {}, facts)
    return place


def sentence(err):
    """The one sentence; no traceback."""
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    return lines[0]


def test_missing_folder(run, tmp_path):
    code, out, err = run("collect", tmp_path / "nowhere", tmp_path / "w")
    assert (code, out) == (3, "")
    assert "there is no such folder" in sentence(err)
    assert not (tmp_path / "w").exists()


def test_empty_folder(run, tmp_path):
    (tmp_path / "library").mkdir()
    code, _, err = run("collect", tmp_path / "library", tmp_path / "w")
    assert code == 3
    assert "no MIDI file in it (.mid, .midi, .kar, .zip)" in sentence(err)
    assert not (tmp_path / "w").exists()


def test_folder_without_one_readable_file(run, ray_local, broken_files, tmp_path):
    code, _, err = run("collect", broken_files, tmp_path / "w")
    assert code == 3
    assert "none of its MIDI files can be taken" in err.strip().splitlines()[-1]
    assert "Traceback" not in err
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(("command", "needs"), [("prepare", "amt collect"), ("train", "amt prepare")])
def test_stage_before_its_time(run, tmp_path, command, needs):
    code, _, err = run(command, tmp_path / "w")
    assert code == 4
    assert f"run `{needs}` first" in sentence(err)


def test_workspace_of_another_schema(run, library, tmp_path):
    (tmp_path / "w" / "pieces").mkdir(parents=True)
    (tmp_path / "w" / "pieces" / "manifest.json").write_text(json.dumps({"schema_version": 7}))
    for command in (["collect", library, tmp_path / "w"], ["prepare", tmp_path / "w"]):
        code, _, err = run(*command)
        assert code == 4
        assert "schema version 7" in sentence(err)


@pytest.mark.parametrize("kind", ["nothing", "folder", "file"])
def test_bundle_that_is_none(run, tmp_path, kind):
    path = tmp_path / "model"
    if kind == "folder":
        path.mkdir()
    if kind == "file":
        path.write_text("x")
    for command in (["generate", "a waltz", "--model", path, "-o", tmp_path / "x.mid"], ["serve", "--model", path]):
        code, _, err = run(*command)
        assert code == 5
        assert "name the folder that `amt train` wrote" in sentence(err)
    assert not (tmp_path / "x.mid").exists()


def test_unwritable_workspace(run, ray_local, library, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run("collect", library, tmp_path / "file" / "w")
    assert code == 7
    assert "cannot write" in sentence(err)


def test_wrong_usage(run, tmp_path):
    assert run("collect")[0] == 2
    assert run("compose")[0] == 2
    code, _, err = run("train", tmp_path, "--batch-tokens", "0")
    assert code == 2
    assert "--batch-tokens: received 0" in sentence(err)


def test_blank_text(run, tmp_path):
    code, _, err = run("generate", "  ", "--model", tmp_path)
    assert code == 8
    assert "text" in sentence(err)


def test_the_table_of_events_is_whole(run):
    code, out, _ = run("inspect", "events")
    assert code == 0
    for block in BLOCKS:
        assert block in out
    assert "506–511" in out


def test_analyse_shows_what_a_text_says_and_where(run):
    text = "A melancholic waltz for solo piano in F# minor, Am F C G, 90 bpm, slow, fast, no drums, like Satie"
    code, out, _ = run("analyse", text, "--words-only")
    assert code == 0
    for shown in (
        "Characters 98 before, 75 after, 23 removed",
        "Keywords melancholic, waltz,",
        'Emotion melancholic (0.92, "melancholic")',
        "Valence -0.55 of -1",
        'Instrument piano (0.95, "piano")',
        "Instrument no others",
        'Not wanted drums (0.95, "drums")',
        'Style hint Satie (0.90, "Satie")',
        'F# minor (0.95, "F# minor")',
        'Mode minor (0.95, "F# minor")',
        'Am F C G (0.85, "Am F C G")',
        '"slow" and "fast"; 90 BPM was taken.',
    ):
        assert shown in " ".join(out.split())
    assert "Embedding" not in out


def test_analyse_compares_a_text_with_a_workspace_by_its_encoder(run, tmp_path, plain_bert):
    place = embedded(tmp_path / "w", plain_bert, ["slow piano", "jazz"])
    code, out, _ = run("analyse", "slow  piano", "--workspace", place.root)
    assert code == 0
    shown = " ".join(out.split())
    assert "Embedding shape (16,), norm 1.000" in shown
    assert "Similarity 1.00 to the nearest of 2 captions of /" in shown
    assert re.search(r'"slow piano" [01]\.\d\d on average', shown)
    other = save_plain_bert(tmp_path / "other")
    code, _, err = run("analyse", "slow piano", "--workspace", place.root, "--encoder", other)
    assert (code, "its fingerprint is" in err.splitlines()[-1]) == (6, True)
    code, _, err = run("analyse", "slow piano", "--workspace", tmp_path / "nothing")
    assert (code, "amt prepare" in sentence(err)) == (4, True)


def test_analyse_reads_words_alone_where_no_encoder_is_installed(run, tmp_path, monkeypatch):
    def missing(name, device="cpu"):
        raise EncoderError(name, "it is not here", "install it")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("amt_ray.text.embed.TextEncoder", missing)
    code, out, err = run("analyse", "a slow waltz")
    assert (code, err.strip()) == (0, "words alone are read: text encoder all-MiniLM-L6-v2: it is not here; install it.")
    assert '3/4 (0.60, "waltz")' in out
    code, _, err = run("analyse", "a slow waltz", "--encoder", "x")
    assert (code, sentence(err)) == (6, "error: text encoder x: it is not here; install it.")


def test_analyse_writes_a_json_line_for_each_text(run, tmp_path, plain_bert):
    (tmp_path / "texts.jsonl").write_text('{"id": "a", "text": "slow piano"}\n{"id": "b", "text": ""}\n')
    code, out, err = run("analyse", "--input", tmp_path / "texts.jsonl", "--json", "--encoder", plain_bert)
    assert code == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["a", "b"]
    assert "texts: 2 of 2 (100%" in err
    assert run("analyse", "slow piano", "--json", "--words-only")[1].startswith('{"id": "", ')


@pytest.mark.parametrize(
    "arguments", [(), ("a", "--input", __file__), ("--input", __file__), ("--input", "/nowhere", "--json")]
)
def test_analyse_wants_one_text_or_one_file_of_texts(run, arguments):
    code, _, err = run("analyse", *arguments)
    assert code == 2
    assert "--input" in sentence(err)


def test_every_error_has_an_exit_code_of_its_own():
    kinds = set(AmtError.__subclasses__())
    assert set(cli.EXIT_CODES) == kinds
    codes = [code for kind, code in cli.EXIT_CODES.items() if kind is not InvalidPiece]
    assert len(set(codes)) == len(codes)
    assert not {0, 1, 2} & set(codes)
