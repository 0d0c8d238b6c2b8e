"""The command line: all commands, and what becomes of errors.

Exit codes: 0 done; 1 a fault of ours; 2 wrong usage; the others are `EXIT_CODES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from typer.exceptions import TyperException

from amt_ray.cli import examine, library, model, styles, text, train
from amt_ray.console import Display
from amt_ray.errors import (
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

EXIT_CODES: dict[type[AmtError], int] = {
    LibraryError: 3,
    InvalidPiece: 3,
    WorkspaceError: 4,
    BundleError: 5,
    EncoderError: 6,
    OutputError: 7,
    RequestError: 8,
    MissingPackageError: 9,
    TrainingError: 10,
    WikiError: 11,
}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Text to MIDI: a folder of MIDI files becomes a model, a sentence music.",
)
inspect = typer.Typer(no_args_is_help=True, help="Look inside: the event language.")
app.add_typer(inspect, name="inspect")
for command in (
    *(library.corpus, library.collect, library.export, library.pack),
    *(model.prepare, train.train, examine.examine, model.generate, model.demo),
):
    app.command()(command)
app.command()(model.serve)
app.command()(styles.styles)
app.command()(text.analyse)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (of the process by default) and return its exit code; errors become one sentence on stderr."""
    try:
        with _options_checked():
            app(args=list(argv) if argv is not None else None, standalone_mode=False)
    except typer.Exit as exc:
        return exc.exit_code
    except TyperException as exc:
        Display().fail(exc.format_message())
        return 2
    except (KeyboardInterrupt, typer.Abort):
        Display().fail("interrupted; the same command goes on where it stopped")
        return 130
    except AmtError as exc:
        # Ray hands an error of a worker on as a subclass whose text is a traceback; `cause` is the error itself.
        cause = getattr(exc, "cause", exc)
        Display().fail(str(cause))
        return next((code for kind, code in EXIT_CODES.items() if isinstance(cause, kind)), 1)
    return 0


@contextmanager
def _options_checked() -> Iterator[None]:
    """Turn a setting out of its range into a usage error that names the option."""
    try:
        yield
    except ValidationError as exc:
        first = exc.errors()[0]
        if not first["loc"]:  # of several options together
            raise typer.BadParameter(first["msg"].removeprefix("Value error, ")) from exc
        option = "--" + "-".join(str(part) for part in first["loc"]).removesuffix("_s").replace("_", "-")
        raise typer.BadParameter(f"{option}: received {first.get('input')!r}; {first['msg']}") from exc


@inspect.command()
def events() -> None:
    """Print the table of the 512 events."""
    from amt_ray.events.vocabulary import BLOCKS

    display = Display()
    rows = {
        f"{block.start:>3}–{block.end - 1:<3} {block.name}": f"{block.size:>3}  {', '.join(block.names)}"
        for block in BLOCKS.values()
    }
    display.table("Events: ids, block, how many, their meanings in order", rows)
