import json

import pytest

from amt_ray.errors import LibraryError
from amt_ray.midi.metadata import read_metadata


def test_a_csv_by_path(tmp_path):
    table = tmp_path / "about.csv"
    table.write_text(
        'path,title,Artist,year,license\na/1.mid,"Waterloo, live",ABBA,1974,CC0\nb.mid,,007,,\n"c\nd.mid",X,,,\n'
    )
    assert read_metadata(str(table)) == {
        "a/1.mid": {"title": "Waterloo, live", "artist": "ABBA", "licence": "CC0"},
        "b.mid": {"artist": "007"},
        "c\nd.mid": {"title": "X"},
    }


def test_json_lines_by_hash_and_by_path(tmp_path):
    table = tmp_path / "about.jsonl"
    rows = [{"sha256": "ab", "title": "T"}, {"path": "b.mid", "genre": "jazz", "source": None}]
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_metadata(str(table)) == {"ab": {"title": "T"}, "b.mid": {"genre": "jazz"}}


def test_columns_of_other_names_mean_the_same(tmp_path):
    table = tmp_path / "about.csv"
    table.write_text("file,composer,name\nx.mid,Bach,Air\n")
    assert read_metadata(str(table)) == {"x.mid": {"artist": "Bach", "title": "Air"}}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.csv", "title,artist\nx,y\n", "its columns are title, artist; name each row's file in a column path or sha256."),
        ("a.csv", "path,title\nx\n", r"cannot be read \(CSV parse error: .*\); give a table as CSV or JSON lines."),
        ("a.csv", "", r"cannot be read \(.*\); give a table as CSV or JSON lines."),
        ("a.jsonl", "{no json", r"cannot be read \(JSON parse error: .*\); give a table as CSV or JSON lines."),
        ("a.txt", "path\nx\n", r"its name ends in neither \.csv nor \.jsonl; give a table as CSV or JSON lines."),
        ("a.csv", None, "there is no such file|No such file"),
    ],
)
def test_a_table_that_cannot_be_used_is_a_sentence(tmp_path, name, text, sentence):
    table = tmp_path / name
    if text is not None:
        table.write_text(text)
    with pytest.raises(LibraryError, match=sentence):
        read_metadata(str(table))
