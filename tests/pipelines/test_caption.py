import pyarrow as pa

from amt_ray.artifacts import Workspace
from amt_ray.config import PrepareSettings
from amt_ray.pipelines.caption import caption_batch, caption_row, make_captions
from amt_ray.pipelines.progress import silent
from amt_ray.schemas import ARTICLES, CAPTIONS, PIECES
from amt_ray.text.analyse import analyse
from amt_ray.text.caption import captions
from amt_ray.text.embed import TextEncoder, find_encoder
from amt_ray.text.musical_texts import musical_texts

PIECE = {
    "artist": "Ada Quaver",
    "title": "Air",
    "genre": "jazz",
    "tempo_bpm": 96.0,
    "time_signature": "3/4",
    "programs": [0, 40],
}
EXTRACT = "It was released in 1976. It is a slow waltz in D minor for piano, strings and flute. It sold a million copies."


def test_a_row_has_the_labels_that_its_text_is_read_as():
    row = caption_row("7", "features-0", "A melancholic jazz waltz for piano and flute")
    assert (row["piece_id"], row["kind"], row["keywords"][:2]) == ("7", "features-0", ["melancholic", "jazz waltz"])
    assert [label["name"] for label in row["moods"]] == ["melancholic"]
    assert [label["name"] for label in row["genres"]] == ["jazz"]
    assert row["instruments"] == [{"name": "piano", "confidence": 0.95}, {"name": "flute", "confidence": 0.95}]


def test_a_piece_has_its_captions_and_what_an_article_says_of_it():
    nothing = dict.fromkeys(PIECES.names) | PIECE
    pieces = [nothing | {"piece_id": "a", "article": None}, nothing | {"piece_id": "b", "article": "A waltz."}]
    rows = caption_batch(pa.Table.from_pylist(pieces)).to_pylist()
    said = {(row["piece_id"], row["kind"]): row["text"] for row in rows}
    for piece_id in "ab":
        own = captions(nothing, nothing, piece_id)
        assert [said.pop((piece_id, f"features-{i}")) for i in range(len(own))] == own
    assert said == {("b", "wikipedia"): "A waltz."}


def test_articles_are_read_once_and_captions_are_written_anew_when_they_change(ray_local, plain_bert, tmp_path):
    place, source = Workspace(str(tmp_path)), find_encoder(str(plain_bert))
    settings = PrepareSettings(encoder=str(plain_bert), device="cpu")
    pieces = [PIECE | {"piece_id": str(i)} for i in range(5)]
    manifest = place.write("pieces", pa.Table.from_pylist(pieces, PIECES), "p", {}, {})
    without = make_captions(place, manifest, settings, source, silent)
    assert "wikipedia" not in place.table("captions")["kind"].to_pylist()

    def found(piece_id, status, extract):
        return {"piece_id": piece_id, "status": status, "extract": extract}

    articles = [
        found("0", "song", EXTRACT),
        found("1", "artist", EXTRACT),
        found("2", "none", EXTRACT),
        found("3", "song", ""),
    ]
    place.write("articles", pa.Table.from_pylist(articles, ARTICLES), "a", {}, {})
    seen = []
    made = make_captions(place, manifest, settings, source, lambda *report: seen.append(report))
    assert ("articles read", 1, 1) in seen
    (text,) = musical_texts([EXTRACT], TextEncoder(str(plain_bert)).encode)
    assert "waltz in D minor" in text
    rows = [row for row in place.table("captions").to_pylist() if row["kind"] == "wikipedia"]
    assert {row["piece_id"]: row["text"] for row in rows} == {"0": text, "1": text}
    assert rows[0]["keywords"] == list(analyse(text).keywords)
    assert made.version != without.version
    assert make_captions(place, manifest, settings, source, silent) == made
    assert place.table("captions").schema.equals(CAPTIONS)
