import subprocess

from amt_ray.training import outcome
from amt_ray.training.outcome import commit


def git(folder, *arguments):
    command = ["git", "-C", folder, "-c", "user.name=n", "-c", "user.email=e", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_that_of_the_checkout_and_a_plus_says_that_files_differ(tmp_path, monkeypatch):
    module = tmp_path / "amt_ray" / "training" / "outcome.py"
    module.parent.mkdir(parents=True)
    module.write_text("one")
    monkeypatch.setattr(outcome, "__file__", str(module))
    assert commit() is None
    git(tmp_path, "init", "-q")
    assert commit() is None, "the files are not in the repository"
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    assert commit() == git(tmp_path, "rev-parse", "HEAD")
    module.write_text("two")
    assert commit() == git(tmp_path, "rev-parse", "HEAD") + "+"
