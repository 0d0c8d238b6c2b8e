import json

import pyarrow as pa
import pytest

from amt_ray.artifacts import MADE_BY, Manifest, Workspace, filesystem_of, fingerprint, without_secrets, write_file
from amt_ray.errors import OutputError, WorkspaceError
from amt_ray.schemas import REJECTS, SCHEMA_VERSION, SCHEMAS


def rejects(*paths):
    rows = [{"path": path, "stage": "collect", "reason": "corrupt", "detail": ""} for path in paths]
    return pa.Table.from_pylist(rows, REJECTS)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(str(tmp_path / "workspace"))


def paths_of(workspace):
    return workspace.table("rejects")["path"].to_pylist()


def test_what_is_written_is_read_back_with_its_manifest(workspace):
    written = workspace.write("rejects", rejects("b.mid", "a.mid"), "f1", {"limits": {"min_notes": 3}}, {"scanned": 9})
    assert written == Manifest("f1", "f1", 2, {"limits": {"min_notes": 3}}, {"scanned": 9}, SCHEMA_VERSION)
    again = Workspace(workspace.root)
    assert again.manifest("rejects") == written
    assert again.table("rejects") == rejects("b.mid", "a.mid").cast(SCHEMAS["rejects"])
    assert again.table("rejects", ["reason", "path"]).column_names == ["reason", "path"]


def test_rows_are_cast_to_the_schema_and_other_columns_left_out(workspace):
    table = pa.table({"name": ["calm"], "style": pa.array([0], pa.int64()), "size": [3], "centroid": [[0.5, 0.5]], "x": [1]})
    workspace.write("styles", table, "f", {}, {})
    assert workspace.table("styles").schema == SCHEMAS["styles"]
    assert workspace.table("styles").to_pylist() == [{"style": 0, "name": "calm", "size": 3, "centroid": [0.5, 0.5]}]


def test_an_artefact_without_rows_is_an_artefact(workspace):
    workspace.write("rejects", SCHEMAS["rejects"].empty_table(), "f", {}, {})
    assert workspace.need("rejects").n_rows == 0
    assert workspace.table("rejects").num_rows == 0


def test_a_version_that_was_not_committed_is_not_seen(workspace):
    workspace.write("rejects", rejects("old.mid"), "old", {}, {})
    folder = workspace.begin("rejects", "new")
    pa.parquet.write_table(rejects("new.mid").cast(SCHEMAS["rejects"]), f"{folder}/part-0.parquet")
    assert paths_of(workspace) == ["old.mid"]
    assert workspace.rows("rejects", "new")["path"].to_pylist() == ["new.mid"]


def test_killed_between_rows_and_manifest_nothing_has_happened(workspace, monkeypatch):
    workspace.write("rejects", rejects("old.mid"), "old", {}, {})

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            workspace.write("rejects", rejects("new.mid"), "new", {}, {})
    assert paths_of(workspace) == ["old.mid"]
    workspace.write("rejects", rejects("newer.mid"), "new", {}, {})
    assert paths_of(workspace) == ["newer.mid"]


def test_killed_while_the_manifest_is_written_the_old_one_stands(workspace, monkeypatch):
    workspace.write("rejects", rejects("old.mid"), "old", {}, {})
    folder = workspace.begin("rejects", "new")
    pa.parquet.write_table(rejects("new.mid").cast(SCHEMAS["rejects"]), f"{folder}/part-0.parquet")
    real = workspace.fs

    class Stops:
        def __getattr__(self, name):
            return getattr(real, name)

        def move(self, *_):
            raise KeyboardInterrupt

    monkeypatch.setattr(workspace, "fs", Stops())
    with pytest.raises(KeyboardInterrupt):
        workspace.commit("rejects", Manifest("new", "new", 1))
    assert paths_of(Workspace(workspace.root)) == ["old.mid"]


def test_begin_clears_what_a_killed_run_left(workspace):
    folder = workspace.begin("rejects", "new")
    pa.parquet.write_table(rejects("half.mid").cast(SCHEMAS["rejects"]), f"{folder}/part-7.parquet")
    workspace.write("rejects", rejects("whole.mid"), "new", {}, {})
    assert paths_of(workspace) == ["whole.mid"]


def test_a_version_made_again_in_its_place_is_not_seen_half_made(workspace):
    workspace.write("rejects", rejects("a.mid"), "v1", {}, {})
    workspace.begin("rejects", "v1")
    assert workspace.manifest("rejects") is None
    workspace.write("rejects", rejects("b.mid"), "v1", {}, {})
    assert paths_of(workspace) == ["b.mid"]


def test_commit_deletes_the_other_versions(workspace, tmp_path):
    for version in ("v1", "v2", "v3"):
        workspace.write("rejects", rejects(version), version, {}, {})
    assert sorted(path.name for path in (tmp_path / "workspace/rejects").iterdir()) == ["manifest.json", "v3"]


def test_an_artefact_is_current_for_its_own_fingerprint_only(workspace):
    assert workspace.current("rejects", "f1") is None
    manifest = workspace.write("rejects", rejects("a.mid"), "f1", {}, {})
    assert workspace.current("rejects", "f1") == manifest
    assert workspace.current("rejects", "f2") is None


def test_fingerprints_are_the_same_for_ever():
    assert fingerprint({"b": 1, "a": [1.5, None]}, "pieces") == "731e962c25b75a8e"
    assert fingerprint({"a": (1.5, None), "b": 1}, "pieces") == fingerprint({"b": 1, "a": [1.5, None]}, "pieces")
    assert fingerprint("a", "b") != fingerprint("ab")
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_missing_stage_names_its_command(workspace, name):
    assert workspace.manifest(name) is None
    with pytest.raises(WorkspaceError) as caught:
        workspace.table(name)
    assert str(caught.value) == f"workspace {workspace.root}: it has no {name} yet; run `{MADE_BY[name]}` first."


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"schema_version": 99}', f"rejects has schema version 99, this amt_ray reads version {SCHEMA_VERSION}"),
        ("[]", f"rejects has schema version None, this amt_ray reads version {SCHEMA_VERSION}"),
        ('{"schema_ver', "is damaged"),
        ("\udcff", "is damaged"),
        (json.dumps({"schema_version": SCHEMA_VERSION}), "is damaged"),
        (json.dumps({"schema_version": SCHEMA_VERSION, "moon": "full"}), "is damaged"),
    ],
)
def test_a_manifest_of_another_time_or_damaged_is_one_sentence(workspace, text, wrong):
    workspace.write("rejects", rejects("a.mid"), "f", {}, {})
    workspace.write_bytes("rejects/manifest.json", text.encode(errors="surrogateescape"))
    with pytest.raises(WorkspaceError) as caught:
        workspace.need("rejects")
    assert wrong in str(caught.value)
    assert caught.value.args[0] == workspace.root
    assert caught.value.args[2].startswith("make it again in a new folder")


def test_rows_that_are_gone_are_one_sentence(workspace, tmp_path):
    workspace.write("rejects", rejects("a.mid"), "f", {}, {})
    (tmp_path / "workspace/rejects/f/part-0.parquet").unlink()
    (tmp_path / "workspace/rejects/f").rmdir()
    with pytest.raises(WorkspaceError, match=r"/rejects/f is damaged .*; make it again in a new folder"):
        workspace.table("rejects")


def test_rows_cut_short_are_one_sentence(workspace, tmp_path):
    workspace.write("rejects", rejects("a.mid"), "f", {}, {})
    part = tmp_path / "workspace/rejects/f/part-0.parquet"
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(WorkspaceError, match=r"/rejects/f is damaged .*; make it again in a new folder"):
        workspace.table("rejects")


def test_a_root_that_cannot_be_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    workspace = Workspace(str(tmp_path / "file" / "workspace"))
    for write in (
        lambda: workspace.begin("rejects", "f"),
        lambda: workspace.write("rejects", rejects("a.mid"), "f", {}, {}),
        lambda: workspace.write_bytes("model/report.json", b"{}"),
    ):
        with pytest.raises(OutputError, match="name a place that you may write to"):
            write()
    assert (tmp_path / "file").read_text() == "not a folder"


def test_write_bytes_replaces_whole_and_leaves_no_partial(workspace, tmp_path):
    workspace.write_bytes("model/notes.json", b"long old text")
    workspace.write_bytes("model/notes.json", b"new")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "workspace/model").iterdir()] == [("notes.json", b"new")]


def test_write_file_makes_its_folder_and_replaces(tmp_path):
    for data in (b"old and long", b"new"):
        write_file(tmp_path / "deep/er/take.mid", data)
        assert [(path.name, path.read_bytes()) for path in (tmp_path / "deep/er").iterdir()] == [("take.mid", data)]


def test_write_file_that_fails_says_so_and_leaves_nothing(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder/inner").mkdir(parents=True)
    for target in (tmp_path / "file/take.mid", tmp_path / "folder"):
        with pytest.raises(OutputError) as caught:
            write_file(target, b"data")
        assert caught.value.args[0] == str(target)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "inner"]


def test_a_local_path_and_a_uri_are_one_workspace(workspace, tmp_path):
    workspace.write("rejects", rejects("a.mid"), "f", {}, {})
    by_uri = Workspace((tmp_path / "workspace").as_uri() + "/")
    assert paths_of(by_uri) == ["a.mid"]
    assert by_uri.folder("model", "x") == str(tmp_path / "workspace/model/x")


def test_a_relative_path_is_made_absolute_and_a_home_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert filesystem_of("work")[1] == str(tmp_path / "work")
    assert filesystem_of("~/work")[1] == str(tmp_path / "home/work")


@pytest.mark.parametrize(
    ("root", "shown"),
    [
        ("s3://key:secret@bucket/a/b?endpoint_override=x&scheme=http", "s3://bucket/a/b"),
        ("gs://bucket/a", "gs://bucket/a"),
        ("/a b/c?d", "/a b/c?d"),
    ],
)
def test_no_key_is_shown(root, shown):
    assert without_secrets(root) == shown
