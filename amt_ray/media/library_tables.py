"""A library's report as tables of text, for a terminal and for the head of its picture."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from amt_ray.midi.library import LibraryReport

MOST_NAMES = 12
OTHER = "other"


def library_tables(report: LibraryReport) -> dict[str, dict[str, str]]:
    """Rows of name and value by title, in reading order; distributions of nothing are left out."""
    accepted = report.accepted
    counted = {
        "Rejected by reason": shares(report.rejected_by_reason, report.total_files),
        "Genres": shares(folded(report.genres), accepted),
        "Polyphony": shares(report.polyphony_levels, accepted),
        "Keys": shares(folded(report.keys), accepted),
        "Metres": shares(folded(report.time_signatures), accepted),
        "Instrument families": shares(report.families, accepted),
        "Licences": shares(folded(report.licences), accepted),
        "Articles": _articles(report),
        "Why no article on the song": _reasons(report),
    }
    return {"Files": _files(report), "Music": _music(report)} | {title: rows for title, rows in counted.items() if rows}


def artist_lines(report: LibraryReport) -> list[str]:
    """Lines such as "- ABBA: 23 files", most files first, the last one saying how many artists more there are."""
    lines = [f"- {artist}: {plural(files, 'file')}" for artist, files in report.top_artists.items()]
    more = report.artists - len(lines)
    return [*lines, f"- … ({more:,} more artist{'' if more == 1 else 's'})"] if more else lines


def folded(counts: Mapping[str, int], most: int = MOST_NAMES) -> dict[str, int]:
    """Keep the `most` first counts and add up the rest under "other", which stands last."""
    if len(counts) <= most:
        return dict(counts)
    kept = dict(islice(counts.items(), most))
    rest = kept.pop(OTHER, 0) + sum(islice(counts.values(), most, None))
    return kept | {OTHER: rest}


def shares(counts: Mapping[str, int], total: int) -> dict[str, str]:
    """Each count with its share of the total: "1,457 (38%)"."""
    return {name: f"{n:,} ({share(n, total)})" for name, n in counts.items()}


def share(n: int, total: int) -> str:
    """Return a percentage that calls only nothing 0% and only all 100%; "0%" of a total of 0."""
    percent = 100 * n / total if total else 0.0
    if 0 < percent < 0.5:
        return "<1%"
    return ">99%" if 99.5 <= percent < 100 else f"{percent:.0f}%"


def plural(n: int, thing: str) -> str:
    """Count things: "1 file", "1,000 files"."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def clock(seconds: float) -> str:
    """Minutes and seconds: "3:04"."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def _files(report: LibraryReport) -> dict[str, str]:
    counts = {
        "Accepted": report.accepted,
        "Rejected": report.rejected,
        "Duplicates": report.duplicates,
        "Near duplicates": report.near_duplicates,
    }
    return {"Found": f"{report.total_files:,}"} | shares(counts, report.total_files)


def _music(report: LibraryReport) -> dict[str, str]:
    return {
        "Artists": f"{report.artists:,}",
        "Length": f"{report.total_hours:,.1f} hours",
        "Notes": f"{report.total_notes:,}",
        "Average length": f"{report.average_duration_s:.1f} s (median {report.median_duration_s:.1f} s)",
        "Average notes": f"{report.average_notes:,.1f} (median {report.median_notes:,.0f})",
        "Average tempo": f"{report.average_tempo_bpm:.0f} bpm (median {report.median_tempo_bpm:.0f} bpm)",
    }


def _articles(report: LibraryReport) -> dict[str, str]:
    if report.articles is None:
        return {}
    by_status = shares(report.articles.by_status, sum(report.articles.by_status.values()))
    return by_status | {"average summary": f"{report.articles.average_extract_characters:,.0f} characters"}


def _reasons(report: LibraryReport) -> dict[str, str]:
    if report.articles is None:
        return {}
    return shares(report.articles.by_reason, sum(report.articles.by_status.values()))
