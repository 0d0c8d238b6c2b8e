"""Commands that make a library, fill a workspace with it, and hand it on: corpus, collect, pack, export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from amt_ray.config import CollectSettings, Limits, WikipediaSettings
from amt_ray.console import Display

if TYPE_CHECKING:
    from amt_ray.pipelines.articles import WikipediaReport
    from amt_ray.pipelines.collect import CollectReport

_LIMITS, _WIKI = Limits(), WikipediaSettings()


def corpus(
    out: Annotated[str, typer.Argument(help="Folder to make the library in.")],
    limit: Annotated[int, typer.Option(min=1, help="How many pieces.")] = 150,
) -> None:
    """Make a MIDI library out of the free scores that the package music21 ships."""
    from amt_ray.pipelines.corpus import make_corpus

    display = Display()
    with display.progress() as progress:
        report = make_corpus(out, limit, progress)
    for path, reason in report.failed:
        display.say(f"left out {path}: {reason}")
    display.say(f"{report.written} pieces written, {report.already_there} were there, {len(report.failed)} failed: {out}")


def collect(
    midi_dirs: Annotated[
        list[str], typer.Argument(help="Folders of MIDI files, or s3://…: …/Genre/Artist/Title.mid or Artist/Title.mid.")
    ],
    workspace: Annotated[str, typer.Argument(help="Folder for everything that is made of them.")],
    metadata: Annotated[
        str | None, typer.Option(help="CSV or JSON lines: path or sha256, and artist, title, genre, licence, source.")
    ] = None,
    skip_wikipedia: Annotated[bool, typer.Option("--skip-wikipedia", help="Look up no articles.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Take articles from the cache only.")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask again for articles that are known.")] = False,
    delay: Annotated[float, typer.Option(help="Seconds from one request to the next.")] = _WIKI.delay_s,
    contact: Annotated[str, typer.Option(help="Your e-mail or web address, told to the wiki.")] = _WIKI.contact,
    wikipedia_api: Annotated[str, typer.Option(help="The api.php of a MediaWiki.")] = _WIKI.api_url,
    wikipedia_dump: Annotated[
        str | None, typer.Option(help="Dump to read instead: XML, .bz2, Parquet; a file or a folder of them.")
    ] = None,
    wikipedia_cache: Annotated[str | None, typer.Option(help="Folder of the cache; in the workspace by default.")] = None,
    max_file_bytes: Annotated[int, typer.Option(help="Largest file.")] = _LIMITS.max_file_bytes,
    min_notes: Annotated[int, typer.Option(help="Fewest notes.")] = _LIMITS.min_notes,
    max_notes: Annotated[int, typer.Option(help="Most notes.")] = _LIMITS.max_notes,
    min_duration: Annotated[float, typer.Option(help="Shortest piece, in seconds.")] = _LIMITS.min_duration_s,
    max_duration: Annotated[float, typer.Option(help="Longest piece, in seconds.")] = _LIMITS.max_duration_s,
    max_tracks: Annotated[int, typer.Option(help="Most tracks.")] = _LIMITS.max_tracks,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what was found for each song.")] = False,
) -> None:
    """Find, read and measure every MIDI file, and find every song's Wikipedia article."""
    from amt_ray.pipelines.collect import collect as run

    settings = CollectSettings(
        limits=Limits(
            max_file_bytes=max_file_bytes,
            min_notes=min_notes,
            max_notes=max_notes,
            min_duration_s=min_duration,
            max_duration_s=max_duration,
            max_tracks=max_tracks,
        ),
        metadata=metadata,
        skip_wikipedia=skip_wikipedia,
        offline=offline,
        refresh=refresh,
        wikipedia=WikipediaSettings(delay_s=delay, contact=contact, api_url=wikipedia_api),
        wikipedia_dump=wikipedia_dump,
        wikipedia_cache=wikipedia_cache,
    )
    with (display := Display()).progress() as progress:
        report = run(midi_dirs, workspace, settings, progress, _teller(display) if verbose else None)
    _show(display, report, workspace)


def _teller(display: Display) -> Any:
    def tell(number: int, total: int, article: Mapping[str, Any]) -> None:
        display.say(f"Processing item {number}/{total}: Artist={article['artist']}, Title={article['title']}")
        display.say(f'  Query: "{article["query"]}"')
        display.say(f"  Search results: {article['n_results']} pages")
        for candidate in article["candidates"][:1]:
            display.say(f"  Best match: {candidate['title']} (confidence: {candidate['confidence']:.2f})")
        if article["status"] in {"song", "artist"}:
            kind = "" if article["status"] == "song" else ", the artist's article"
            display.say(f"  Summary length: {len(article['extract']):,} characters{kind}")
            display.say(f"  Successfully fetched from: {article['page_url']}")
        else:
            display.say(f"  No article: {article['reason']}")

    return tell


def _show(display: Display, report: CollectReport, workspace: str) -> None:
    from amt_ray.artifacts import without_secrets
    from amt_ray.media.library_tables import artist_lines, library_tables

    new = "nothing new" if report.was_current else f"{report.files_parsed:,} of them new"
    display.say(f"Found {report.library.total_files:,} MIDI files ({new})")
    for title, rows in library_tables(report.library).items():
        display.table(title, rows)
    display.say("File distribution by artist:")
    for line in artist_lines(report.library):
        display.say(line)
    if report.wikipedia is not None:
        _show_wikipedia(display, report.wikipedia)
    shown = without_secrets(workspace)
    display.say(f"report: {shown}/report.json, {shown}/report.png")


def _show_wikipedia(display: Display, wikipedia: WikipediaReport) -> None:
    successful = wikipedia.by_status.get("song", 0) + wikipedia.by_status.get("artist", 0)
    share = 1 / max(wikipedia.total, 1)
    rows = {
        "Songs": f"{wikipedia.total:,} ({wikipedia.looked_up:,} looked up now)",
        "Successful": f"{successful:,} ({successful * share:.1%})",
        "Failed": f"{wikipedia.total - successful:,} ({1 - successful * share if wikipedia.total else 0:.1%})",
        "Requests": f"{wikipedia.n_requests:,}",
        "Mean response time": f"{wikipedia.mean_response_s:.2f} s",
        "Total time": f"{wikipedia.seconds:.0f} s",
    }
    display.table("Wikipedia", rows)
    if failed := wikipedia.by_status.get("failed", 0):
        display.say(f"{failed:,} songs were not answered; the same command asks for them again")


def pack(
    workspace: Annotated[str, typer.Argument(help="Folder that `amt prepare` has filled.")],
    out: Annotated[str, typer.Argument(help="Folder to write.")],
) -> None:
    """Write what training needs into a small folder, for a machine without Ray: `python -m amt_ray.training`."""
    from amt_ray.pipelines.training_data import pack as run

    report = run(workspace, out)
    Display().say(f"{out}: {report.n_windows:,} windows of {report.n_events:,} events, {report.n_bytes / 1e6:.1f} MB")


def export(
    workspace: Annotated[str, typer.Argument(help="Folder that `amt collect` has filled.")],
    format: Annotated[Literal["json"], typer.Option(help="What to write.")] = "json",  # noqa: A002
    out: Annotated[str | None, typer.Option("--out", "-o", help="Where; the workspace itself by default.")] = None,
) -> None:
    """Write the pieces, their articles, captions, embeddings and styles for other programs."""
    from amt_ray.artifacts import without_secrets
    from amt_ray.pipelines.export import export_json

    display = Display()
    report = export_json(workspace, out)
    files = {
        "Metadata": (report.metadata, "pieces"),
        "Paired data": (report.paired, "pieces"),
        "Embeddings": (report.embeddings, "captions"),
        "Clustered data": (report.clustered, "pieces"),
    }
    for name, (file, things) in files.items():
        if file is not None:
            size = f"{file.size_bytes / 1000:,.0f} KB, {file.n_objects:,} {things}"
            display.say(f"{name} saved to: {without_secrets(file.path)} ({size})")
    for name, reason in report.left_out.items():
        display.say(f"{name} left out: {reason}")
