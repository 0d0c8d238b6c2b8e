"""Songs that nobody wrote, and what a wiki may have on each of them."""

from __future__ import annotations

from collections.abc import Iterator

from mediawiki import WikiPage, disambiguation, redirect

from amt_ray.wiki.page import Song

ADJECTIVES = ("Amber", "Bitter", "Crimson", "Distant", "Empty", "Fading", "Golden", "Hollow", "Ivory", "Jagged")
NOUNS = ("Harbour", "Lantern", "Meadow", "Ribbon", "Shadow", "Willow", "It", "U2", "Été", "Ångström", "東京", "R&B")
ARTISTS = ("Ada Quaver", "Bela Minim", "Clara Breve", "The Crotchets", "Nobody Known")
SONGS = [Song(ARTISTS[number % 5], f"{ADJECTIVES[number % 10]} {NOUNS[number // 10]}") for number in range(120)]


def pages_of(number: int, song: Song) -> list[WikiPage]:
    """What the wiki has on a song, in turn: a page of its own, the bare title, a redirect, a list of meanings, nothing."""
    text = f"'''\"{song.title}\"''' is a [[song]] by {song.artist}, released in 1974.\n\n== Music ==\nThe key is D minor."
    bearer = song.artist.removeprefix("The ")
    return [
        [WikiPage(f"{song.title} ({bearer} song)", text)],
        [WikiPage(song.title, text)],
        [
            WikiPage(f"{song.title} (1974 single)", text),
            redirect(f"{song.title} (song)", f"{song.title} (1974 single)#Music"),
        ],
        [WikiPage(f"{song.title} (live song)", text), disambiguation(song.title, f"'''{song.title}''' may refer to:")],
        [],
    ][number // 2 % 5]


def wiki_pages() -> Iterator[WikiPage]:
    for number, song in enumerate(SONGS):
        yield from pages_of(number, song)
    for artist in ARTISTS[:4]:
        yield WikiPage(artist, f"'''{artist}''' is an English musician. The best of them.")
    yield from (
        redirect("Older", "Old"),
        redirect("Old", "Ada Quaver#Life"),
        redirect("Ring", "Gnir"),
        redirect("Gnir", "Ring"),
    )
    yield from (redirect("Lost", "Nowhere"), redirect("Abroad", "wikipedia:Elsewhere"))
    yield from (WikiPage(f"Filler {number}", f"This is page {number} of many.") for number in range(500))
