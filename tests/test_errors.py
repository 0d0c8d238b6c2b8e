import pickle

import pytest

from amt_ray import errors
from amt_ray.errors import (
    REJECT_REASONS,
    AmtError,
    BundleError,
    EncoderError,
    InvalidPiece,
    LibraryError,
    MissingPackageError,
    OutputError,
    RequestError,
    TrainingError,
    WikiError,
    WorkspaceError,
)

SENTENCES = [
    (LibraryError("/music", "no MIDI file in it", "name another"), "/music: no MIDI file in it; name another."),
    (InvalidPiece("too_short", "1.00 s < 2 s"), "too_short: 1.00 s < 2 s"),
    (WikiError("timeout", "no answer within 30 s"), "timeout: no answer within 30 s"),
    (
        WorkspaceError("/w", "it has no pieces yet", "run `amt collect`"),
        "workspace /w: it has no pieces yet; run `amt collect`.",
    ),
    (BundleError("/m", "it is damaged", "copy it whole"), "model /m: it is damaged; copy it whole."),
    (EncoderError("mini", "it is not there", "install it"), "text encoder mini: it is not there; install it."),
    (OutputError("/out", "File exists"), "cannot write /out: File exists; name a place that you may write to."),
    (RequestError("bars", "0", "1 to 256"), "bars: received 0; allowed is 1 to 256."),
    (TrainingError("a worker was killed", "run it again"), "training stopped: a worker was killed; run it again."),
    (
        MissingPackageError("music21", "`amt corpus`", "pip install music21"),
        "the package music21 is not installed, and `amt corpus` needs it; install it with: pip install music21",
    ),
]


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=lambda value: type(value).__name__)
def test_the_sentence_says_what_is_wrong_and_what_to_do_here_and_in_another_process(error, sentence):
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.args, str(copy)) == (type(error), error.args, sentence)
    assert str(error) == sentence


def test_every_class_of_the_tree_has_its_sentence_tested():
    classes = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, AmtError)}
    assert classes - {AmtError} == {type(error) for error, _ in SENTENCES}


def test_a_detail_may_hold_braces():
    assert str(LibraryError("/{0}/{x}", "{", "}")) == "/{0}/{x}: {; }."


def test_an_invalid_piece_keeps_reason_and_detail_by_name():
    copy = pickle.loads(pickle.dumps(InvalidPiece("corrupt", "half a track")))
    assert (copy.reason, copy.detail) == ("corrupt", "half a track")


def test_reject_reasons_are_this_closed_list():
    assert REJECT_REASONS == (
        "empty_file", "too_large", "not_midi", "corrupt", "no_notes", "too_few_notes", "too_many_notes", "too_short",
        "too_long", "bad_timing", "unreadable", "duplicate", "near_duplicate", "too_many_tracks", "crash", "no_window",
    )  # fmt: skip
