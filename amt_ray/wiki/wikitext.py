"""Wikitext to the plain text of an article's lead, close to what MediaWiki's TextExtracts gives.

mwparserfromhell finds the nodes; what is shown of each is decided here and in `templates`. What TextExtracts leaves out
(its setting ExtractsRemoveClasses: tables, boxes, notes, figures) is left out; pronunciations are too, with the words and
brackets around them. A lead takes about 2 ms.
"""

from __future__ import annotations

import html
import re
from typing import Any

import mwparserfromhell
from mwparserfromhell.nodes import Argument, ExternalLink, HTMLEntity, Node, Tag, Template, Text, Wikilink

from amt_ray.wiki.templates import MUTE, template_text

MAX_LEAD_CHARS = 4_000
_MAX_PARSED_CHARS = 30_000
"""Damaged markup takes the parser time by the square of its length."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HEADING = re.compile(r"^(?P<level>={1,6})[^\n]+(?P=level)[ \t]*$", re.MULTILINE)
_HATNOTE = re.compile(r"^:+[ \t]*''.*$", re.MULTILINE)
"""An indented line in italics: "For other uses, see …" as it was written before there were templates for it."""

_HIDDEN_NAMESPACES = frozenset(
    {
        "file", "image", "media", "category", "datei", "bild", "kategorie", "fichier", "catégorie", "archivo", "imagen",
        "categoría", "immagine", "categoria",
    }
)  # fmt: skip
_INTERLANGUAGE = re.compile(r"(?:[a-z]{2,3}|simple)(?:-[a-z]+)*")
_HIDDEN_TAGS = frozenset(
    {
        "ref", "references", "table", "div", "gallery", "imagemap", "timeline", "score", "math", "chem", "ce", "hiero",
        "graph", "mapframe", "maplink", "templatestyles", "style", "script", "syntaxhighlight", "source", "indicator",
        "section", "figure",
    }
)  # fmt: skip
_BLOCK_TAGS = frozenset({"li", "dd", "dt", "hr", "p", "blockquote", "poem", "ul", "ol", "dl"})

_SPACES = re.compile(r"[\s\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]|__[A-Z]+__")
_MARKUP_LEFT = re.compile(r"\{\{.*$|^[ \t]*(?:\{\||\|\}|[|!]).*$|</?[A-Za-z][^<>\n]*>", re.MULTILINE)
_BRACKETS_LEFT = re.compile(r"\[{2,}|\]{2,}|\{{2,}|\}{2,}|'{3,}")
_TIDY = [
    (re.compile(rf"(?:\b(?:or|and|pronounced|pronunciation|in|usually|locally|US|UK):?\s+)*{MUTE}"), MUTE),
    (re.compile(rf"{MUTE}(?:[\s,;/]*(?:\b(?:or|and)\b[\s,;]*)?{MUTE})*"), ""),
    (re.compile(r"([(\[])[\s,;:/]+"), r"\1"),
    (re.compile(r"[\s,;:/]+([)\]])"), r"\1"),
    (re.compile(r"\(\)|\[\]"), ""),
    (re.compile(r"(?:\s*[,;])+(\s*[;,])"), r"\1"),
    (re.compile(r"\s+([,;]|[.:](?!\w))"), r"\1"),
]
"""What makes a sentence whole again from which something was taken: its words ("pronounced"), brackets and commas."""


def lead_text(wikitext: str, max_chars: int = MAX_LEAD_CHARS) -> str:
    """Return the text before the first heading, paragraphs parted by newlines, cut at the end of a sentence.

    Any string will do: markup that is damaged is dropped as far as it can be told from text.
    """
    source = _COMMENT.sub("", wikitext[: 2 * _MAX_PARSED_CHARS])
    heading = _HEADING.search(source)
    source = _HATNOTE.sub("", source[: heading.start() if heading else None][:_MAX_PARSED_CHARS])
    return shorten(_tidied(_shown(mwparserfromhell.parse(source, skip_style_tags=True))), max_chars)


def shorten(text: str, max_chars: int) -> str:
    """Cut a text after the last whole sentence that fits into so many characters, or between words if none does."""
    if len(text) <= max_chars:
        return text
    beginning = text[: max_chars + 1]
    if sentence_ends := [match.end() for match in re.finditer(r"[.!?](?=\s)", beginning)]:
        return text[: sentence_ends[-1]]
    last_word = re.search(r"(?<=\S)\s\S*\Z", beginning)
    return text[: last_word.start() if last_word else max_chars]


def _shown(code: Any) -> str:
    return "".join(_node_text(node) for node in code.nodes)


def _node_text(node: Node) -> str:
    match node:
        case Text():
            return str(node.value)
        case Wikilink():
            return _link_text(node)
        case Template():
            return template_text(node, _shown)
        case Tag():
            return _tag_text(node)
        case HTMLEntity():
            return html.unescape(str(node))
        case ExternalLink():
            return _shown(node.title) if node.title else "" if node.brackets else str(node.url)
        case Argument():
            return _shown(node.default) if node.default else ""
    return ""


def _link_text(link: Wikilink) -> str:
    namespace, colon, _ = str(link.title).strip().partition(":")
    if colon and namespace.strip().lower() in _HIDDEN_NAMESPACES:
        return ""
    if link.text is not None:
        return _shown(link.text)
    return "" if colon and _INTERLANGUAGE.fullmatch(namespace) else _shown(link.title).removeprefix(":")


def _tag_text(tag: Tag) -> str:
    name = str(tag.tag).strip().lower()
    if name in _HIDDEN_TAGS:
        return ""
    text = _shown(tag.contents) if tag.contents else ""
    if name in _BLOCK_TAGS:
        return f"\n\n{text}\n\n" if text else "\n\n"
    return " " if name == "br" else text


def _tidied(text: str) -> str:
    text = "\n".join(_unquoted(line) for line in _MARKUP_LEFT.sub("", _INVISIBLE.sub("", text)).split("\n"))
    paragraphs = (_tidied_paragraph(part) for part in re.split(r"\n[ \t]*\n", text))
    return "\n".join(part for part in paragraphs if any(map(str.isalnum, part)))


def _tidied_paragraph(text: str) -> str:
    text = _SPACES.sub(" ", text)
    for pattern, replacement in _TIDY:
        text = pattern.sub(replacement, text)
    while (shorter := _BRACKETS_LEFT.sub("", text)) != text:
        text = shorter
    return _SPACES.sub(" ", text).strip()


def _unquoted(line: str) -> str:
    """Take the marks of bold and italics out of a line, as MediaWiki reads them: `''Titanic'''s` is "Titanic's".

    Runs of two, three and five apostrophes are marks; of four or more than five, the surplus is text. Where a line leaves
    both bold and italics open, a run of three is an apostrophe and a mark: the first after a single letter, or else after a
    word.
    """
    runs = re.split(r"('{2,})", line)
    marks = [3 if len(run) == 4 else min(len(run), 5) for run in runs[1::2]]
    both_open = sum(mark != 3 for mark in marks) % 2 and sum(mark != 2 for mark in marks) % 2
    threes = [i for i, mark in enumerate(marks) if mark == 3 and both_open]
    apostrophe = min(
        threes, key=lambda i: (not re.search(r"(?:^|\s)\S$", runs[2 * i]), runs[2 * i][-1:].isspace()), default=-1
    )
    for i, mark in enumerate(marks):
        runs[2 * i + 1] = "'" * (len(runs[2 * i + 1]) - mark + (i == apostrophe))
    return "".join(runs)
