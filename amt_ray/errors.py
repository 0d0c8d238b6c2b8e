"""Everything that can go wrong and that a caller can act on.

    AmtError
    ├── LibraryError         a MIDI folder, or a dump of a wiki: missing, empty, nothing readable in it
    ├── InvalidPiece         one MIDI file; it becomes a row of `rejects`, never the end of a job
    ├── WikiError            one request to a wiki that was not answered; it becomes the song's reason
    ├── WorkspaceError       the workspace: a stage is missing, another schema version
    ├── BundleError          the model bundle: not one, damaged, of another vocabulary
    ├── EncoderError         the text encoder: not found, or not the one the model was trained with
    ├── OutputError          a place that cannot be written to
    ├── RequestError         a request for music that cannot be understood or fulfilled
    ├── TrainingError        a training that stopped before its end
    └── MissingPackageError  an optional package that this feature needs

Data stands in positional arguments, so that every error survives pickling between Ray processes; the sentence is made
in `__str__`: what was received, what is wrong with it, what to do. Exit codes and HTTP statuses are tables of `cli.py`
and `serving/`.
"""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

RejectReason = Literal[
    "empty_file",
    "too_large",
    "not_midi",
    "corrupt",
    "no_notes",
    "too_few_notes",
    "too_many_notes",
    "too_short",
    "too_long",
    "bad_timing",
    "unreadable",
    "duplicate",
    "near_duplicate",
    "too_many_tracks",
    "crash",
    "no_window",
]
REJECT_REASONS: tuple[RejectReason, ...] = get_args(RejectReason)


class AmtError(Exception):
    """Base of all: `template` is formatted with the positional arguments."""

    template: ClassVar[str] = "{0}"

    def __str__(self) -> str:
        """Return the sentence for a person."""
        return self.template.format(*self.args)


class LibraryError(AmtError):
    """A MIDI folder, or a dump of a wiki. Arguments: path, what is wrong, what to do."""

    template = "{0}: {1}; {2}."


class InvalidPiece(AmtError):
    """One MIDI file that cannot be taken. Arguments: reason (of `REJECT_REASONS`), detail."""

    template = "{0}: {1}"

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class WikiError(AmtError):
    """One request to a wiki. Arguments: reason (of `amt_ray.wiki.page.Reason`), detail."""

    template = "{0}: {1}"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class WorkspaceError(AmtError):
    """The workspace folder. Arguments: path, what is wrong, what to do."""

    template = "workspace {0}: {1}; {2}."


class BundleError(AmtError):
    """The model bundle. Arguments: path, what is wrong, what to do."""

    template = "model {0}: {1}; {2}."


class EncoderError(AmtError):
    """The text encoder. Arguments: name, what is wrong, what to do."""

    template = "text encoder {0}: {1}; {2}."


class OutputError(AmtError):
    """An output that cannot be written. Arguments: path, what is wrong."""

    template = "cannot write {0}: {1}; name a place that you may write to."


class RequestError(AmtError):
    """A request for music. Arguments: field, what was received, what is allowed."""

    template = "{0}: received {1}; allowed is {2}."


class TrainingError(AmtError):
    """A training that stopped. Arguments: what happened, what to do."""

    template = "training stopped: {0}; {1}."


class MissingPackageError(AmtError):
    """An optional package. Arguments: package, what needs it, the pip command."""

    template = "the package {0} is not installed, and {1} needs it; install it with: {2}"
