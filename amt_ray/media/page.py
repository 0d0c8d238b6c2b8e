"""The demo's web page: one HTML file that shows and plays the pieces whose files lie beside it. No script, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import quote

_CARD = Template("""\
<article aria-labelledby="piece-$number">
<h2 id="piece-$number">“$text”</h2>
<audio controls preload="metadata" src="$wav" aria-label="Listen to piece $number: $text"></audio>
<figure tabindex="0" aria-label="Piano roll of piece $number"><img src="$png" loading="lazy" alt="$alt"></figure>
<div class="below">
$facts
<ul class="downloads" aria-label="Downloads of piece $number">
<li><a href="$midi" download>MIDI file</a></li>
<li><a href="$wav" download>WAV audio</a></li>
</ul>
</div>
</article>""")

_HOW = Template("""\
<section class="how" aria-labelledby="how">
<h2 id="how">How it was made</h2>
$table
</section>""")


@dataclass(frozen=True)
class Exhibit:
    """One piece on the page: the request it answers, its files by path relative to the page, and facts in rows."""

    text: str
    midi_file: str
    wav_file: str
    png_file: str
    facts: tuple[tuple[str, str], ...]


def build_page(exhibits: Sequence[Exhibit], title: str, how: Sequence[tuple[str, str]]) -> str:
    """Return a whole HTML document: a card for each exhibit in order, then a table of how they were made.

    Every text is escaped and every file name percent-encoded. Without exhibits or `how` their part is left out.
    """
    cards = "\n".join(_card(number, exhibit) for number, exhibit in enumerate(exhibits, start=1))
    template = Template(files("amt_ray.media").joinpath("page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(title),
        summary=_summary(len(exhibits)),
        cards=cards,
        how=_HOW.substitute(table=_table(how, "")) if how else "",
    )


def _summary(n_exhibits: int) -> str:
    if n_exhibits == 0:
        return "No pieces yet."
    pieces = "One piece, composed" if n_exhibits == 1 else f"{n_exhibits} pieces, each composed"
    return f"{pieces} by a model from the sentence above it. Listen, look, or take the MIDI file into your own studio."


def _card(number: int, exhibit: Exhibit) -> str:
    described = "; ".join(f"{name}: {value}" for name, value in exhibit.facts)
    alt = f"Piano roll of “{exhibit.text}”: pitch against bars. {described}".strip()
    return _CARD.substitute(
        number=number,
        text=escape(exhibit.text),
        alt=escape(alt),
        midi=_url(exhibit.midi_file),
        wav=_url(exhibit.wav_file),
        png=_url(exhibit.png_file),
        facts=_table(exhibit.facts, f"<caption>Piece {number} in figures</caption>"),
    )


def _url(relative_path: str) -> str:
    """Percent-encode a relative path; `./` keeps a colon in its first part from being read as a scheme."""
    return "./" + quote(relative_path.replace("\\", "/"))


def _table(rows: Sequence[tuple[str, str]], caption: str) -> str:
    if not rows:
        return ""
    lines = "\n".join(f'<tr><th scope="row">{escape(n)}</th><td>{escape(v)}</td></tr>' for n, v in rows)
    return f"<table>{caption}\n{lines}\n</table>"
