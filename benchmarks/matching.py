"""How often the right Wikipedia article is found for a song, over a list of labelled songs and a little wiki in memory.

    python benchmarks/matching.py [--songs songs.csv] [--pages pages.jsonl] [--show]

The songs are looked up as the package does it, all together. Of the articles on songs that are named, a page other than the
labelled one is wrong; a song whose article is not named is missed. An artist's article, named for want of better, is counted
apart. Requests are counted in batches of 50 titles and 20 extracts, and one a search. `--show` prints what went wrong.
Last line: one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amt_ray.wiki.lookup import look_up
from amt_ray.wiki.page import Match

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "wiki"))
from labelled_wiki import DEVELOPMENT, FOLDER, HELD_OUT, Labelled, LabelledWiki, read_songs, robust_variants


@dataclass(frozen=True)
class Outcome:
    """What was named for some labelled songs."""

    rows: Sequence[Labelled]
    matches: Sequence[Match]
    n_requests: int

    def of(self, kind: str) -> Outcome:
        """The part of one kind of songs; its requests cannot be told apart."""
        chosen = [(row, match) for row, match in zip(self.rows, self.matches, strict=True) if row.kind == kind]
        return Outcome([row for row, _ in chosen], [match for _, match in chosen], 0)

    @property
    def right(self) -> int:
        """Songs whose article was named."""
        return sum(named(match) == row.page != "" for row, match in zip(self.rows, self.matches, strict=True))

    @property
    def wrong(self) -> int:
        """Songs for which another page was named as theirs."""
        return sum(named(match) not in ("", row.page) for row, match in zip(self.rows, self.matches, strict=True))

    @property
    def n_articles(self) -> int:
        """Songs that have an article."""
        return sum(row.page != "" for row in self.rows)

    @property
    def precision(self) -> float:
        """Of the pages named, the share that is right; 1 where none was named."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Of the articles that there are, the share that was named; 1 where there are none."""
        return self.right / self.n_articles if self.n_articles else 1.0

    @property
    def artists(self) -> tuple[int, int]:
        """Artists' articles named where the right one is known, and how many of them are right."""
        known = [(r, m) for r, m in zip(self.rows, self.matches, strict=True) if m.status == "artist" and r.artist_page]
        return len(known), sum(m.page is not None and m.page.title == r.artist_page for r, m in known)


def named(match: Match) -> str:
    """The title that was named as the song's article, "" for none."""
    return match.page.title if match.status == "song" and match.page else ""


def look_up_all(rows: Sequence[Labelled], pages: Path) -> Outcome:
    """Look the songs up, each kind's neighbours with them, in a wiki of their own."""
    wiki = LabelledWiki(pages)
    matches = asyncio.run(look_up([row.song for row in rows], wiki))
    return Outcome(rows, matches, wiki.n_requests)


def line(name: str, outcome: Outcome) -> str:
    """One line of the table."""
    missed = outcome.n_articles - sum(
        row.page != "" and named(match) != "" for row, match in zip(outcome.rows, outcome.matches, strict=True)
    )
    return (
        f"{name:28} {len(outcome.rows):6} {outcome.right:6} {outcome.wrong:6} {missed:7}"
        f" {100 * outcome.precision:10.1f} {100 * outcome.recall:7.1f}"
    )


def show(outcome: Outcome) -> None:
    """Print what went wrong."""
    for row, match in zip(outcome.rows, outcome.matches, strict=True):
        is_artist_wrong = bool(row.artist_page) and match.page is not None and match.page.title != row.artist_page
        if named(match) != row.page or (match.status == "artist" and is_artist_wrong):
            found = match.page.title if match.page else ""
            considered = ", ".join(f"{c.title} {c.confidence:.2f}" for c in match.candidates)
            print(f"  {row.kind}: {row.song.artist} | {row.song.title}")
            print(f"    {match.status} {found!r}, not {row.page!r} [{considered}]")


def table(title: str, outcome: Outcome) -> None:
    """Print one part of the list by kind."""
    print(f"{title:28} {'songs':>6} {'right':>6} {'wrong':>6} {'missed':>7} {'precision':>10} {'recall':>7}")
    for kind in dict.fromkeys(row.kind for row in outcome.rows):
        print(line(f"  {kind}", outcome.of(kind)))
    print(line("  all", outcome))
    n_artists, n_right = outcome.artists
    print(f"  artists' articles named: {n_right} of {n_artists} right")
    print(f"  requests a song: {outcome.n_requests / max(1, len(outcome.rows)):.3f}\n")


def main() -> None:
    """Run the benchmark of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, default=FOLDER / "songs.csv")
    parser.add_argument("--pages", type=Path, default=FOLDER / "pages.jsonl")
    parser.add_argument("--part", choices=[DEVELOPMENT, HELD_OUT], help="only this part")
    parser.add_argument("--show", action="store_true", help="print what went wrong")
    arguments = parser.parse_args()
    rows = read_songs(arguments.songs)
    record: dict[str, object] = {"benchmark": "matching", "songs": len(rows)}
    for part in dict.fromkeys(row.part for row in rows):
        if arguments.part in (None, part):
            outcome = look_up_all([row for row in rows if row.part == part], arguments.pages)
            table(part, outcome)
            if arguments.show:
                show(outcome)
            record |= {
                f"{part}_precision": round(outcome.precision, 4),
                f"{part}_recall": round(outcome.recall, 4),
                f"{part}_requests_per_song": round(outcome.n_requests / len(outcome.rows), 4),
            }
    wanted = [row for row in rows if arguments.part in (None, row.part)]
    print(f"{'written otherwise':28} {'songs':>6} {'right':>6} {'wrong':>6} {'missed':>7} {'precision':>10} {'recall':>7}")
    for name, variants in robust_variants(wanted):
        outcome = look_up_all(variants, arguments.pages)
        print(line(f"  {name}", outcome))
        if arguments.show:
            show(outcome)
        record[f"{name.replace(' ', '_')}_precision"] = round(outcome.precision, 4)
    print(f"\n{json.dumps(record)}")


if __name__ == "__main__":
    main()
