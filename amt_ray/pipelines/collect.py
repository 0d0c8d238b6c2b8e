"""MIDI libraries to the artefacts `pieces`, `rejects` and `articles`, through Ray Data.

Parsed rows are kept in the workspace, by file name, size and time, and replies of the wiki by what was asked: killed and
started again, the stage does what is missing; run again on libraries that have grown or changed, it does what is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import pyarrow as pa
import pyarrow.compute as pc

from amt_ray import __version__
from amt_ray.artifacts import Manifest, Workspace, fingerprint
from amt_ray.config import CollectSettings
from amt_ray.errors import LibraryError
from amt_ray.midi.collect import ACCEPTED
from amt_ray.midi.library import LibraryReport
from amt_ray.midi.metadata import read_metadata
from amt_ray.midi.scan import Library, MidiFile
from amt_ray.pipelines.articles import Tell, WikipediaReport, collect_articles
from amt_ray.pipelines.parsing import PARSED, parse_missing
from amt_ray.pipelines.parts import Parts
from amt_ray.pipelines.pieces import named, verdicts, write_pieces, write_rejects
from amt_ray.pipelines.progress import Progress, silent
from amt_ray.pipelines.report import write_report
from amt_ray.pipelines.wiki_sources import wiki_source


@dataclass(frozen=True)
class CollectReport:
    """What the libraries are made of, and what had to be done to know it."""

    library: LibraryReport
    files_parsed: int
    """In this run; the others were known."""
    was_current: bool
    wikipedia: WikipediaReport | None
    """None when no wiki was to be asked."""


def collect(
    libraries: str | Sequence[str],
    workspace: str,
    settings: CollectSettings | None = None,
    progress: Progress = silent,
    tell: Tell | None = None,
) -> CollectReport:
    """Scan libraries, parse every MIDI file in them, find the songs' articles; commit `pieces`, `rejects`, `articles`.

    `tell` is called with every song that is looked up and its article. What a wiki does not answer is a row of `articles`
    with its reason. Raises LibraryError for a library that is missing, empty, or when not one file can be taken (then
    nothing is committed), WorkspaceError for a workspace of another schema version, OutputError for one that cannot be
    written.
    """
    settings = settings or CollectSettings()
    place = Workspace(workspace)
    place.manifest("pieces")
    roots = [libraries] if isinstance(libraries, str) else libraries
    scanned = [Library(root) for root in dict.fromkeys(roots)]
    files = [file for library in scanned for file in library.scan()]
    wiki = None if settings.skip_wikipedia else wiki_source(place, settings, progress)
    pieces, files_parsed = _pieces(files, scanned, place, settings, progress)
    articles = collect_articles(place, pieces, wiki, progress, tell) if wiki else None
    return CollectReport(write_report(place), files_parsed or 0, files_parsed is None, articles)


def _pieces(
    files: Sequence[MidiFile],
    libraries: Sequence[Library],
    place: Workspace,
    settings: CollectSettings,
    progress: Progress,
) -> tuple[Manifest, int | None]:
    """Make `pieces` and `rejects`, and return how many files were parsed for them; None if all was there."""
    metadata = read_metadata(settings.metadata) if settings.metadata else {}
    known_as = [[f.library, f.path, f.size_bytes, f.modified_ns, f.problem] for f in files]
    made_of = fingerprint(__version__, settings.limits.model_dump(), known_as, sorted(metadata.items()))
    pieces = place.current("pieces", made_of)
    if pieces and place.current("rejects", made_of) and not pieces.facts["to_be_read_again"]:
        return pieces, None
    read_by = fingerprint(__version__, version("symusic"), settings.limits.model_dump(), str(PARSED))
    parts = Parts(place, "parsed", read_by, PARSED)
    n_parsed = parse_missing(files, libraries, parts, settings.limits, progress)
    rows = verdicts(files, parts)
    if not pc.any(pc.equal(rows["status"], ACCEPTED)).as_py():
        parts.discard()
        raise _nothing(rows)
    rows = named(rows, metadata)
    write_rejects(rows, place, made_of, settings.model_dump())
    return write_pieces(rows, parts, place, made_of, settings.model_dump()), n_parsed


def _nothing(rows: pa.Table) -> LibraryError:
    counts = ", ".join(f"{n} {reason}" for reason, n in Counter(rows["status"].to_pylist()).most_common())
    roots = ", ".join(pc.unique(rows["library"]).to_pylist())
    return LibraryError(roots, f"none of its MIDI files can be taken ({counts})", "name a folder that holds music")
