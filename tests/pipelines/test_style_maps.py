import pyarrow as pa
import pytest

from amt_ray.artifacts import Workspace
from amt_ray.errors import WorkspaceError
from amt_ray.media.style_map import StylePoint
from amt_ray.pipelines.style_maps import style_points, write_style_map
from amt_ray.schemas import SCHEMAS


def write(place, name, rows):
    place.write(name, pa.Table.from_pylist(rows, SCHEMAS[name]), "f", {}, {})


@pytest.fixture
def place(tmp_path):
    place = Workspace(str(tmp_path / "w"))
    pieces = [{"piece_id": f"p{n}", "title": f"Study {n}", "artist": None if n == 2 else "Ada"} for n in (3, 1, 2, 0, 4)]
    write(place, "pieces", pieces)
    write(place, "styles", [{"style": 0, "name": "jazz, piano", "size": 5, "centroid": [1.0]}])
    write(place, "style_of_piece", [{"piece_id": f"p{n}", "style": 0, "x": n / 2, "y": -n} for n in range(4)])
    return place


def test_pieces_are_points_with_their_titles(place):
    assert style_points(place) == [
        StylePoint("Study 0", "Ada", 0, 0.0, 0.0),
        StylePoint("Study 1", "Ada", 0, 0.5, -1.0),
        StylePoint("Study 2", "", 0, 1.0, -2.0),
        StylePoint("Study 3", "Ada", 0, 1.5, -3.0),
    ]


@pytest.mark.parametrize(("most", "titles"), [(4, "0123"), (3, "02"), (2, "02"), (1, "0")])
def test_of_many_pieces_some_are_drawn(place, most, titles):
    assert [point.title for point in style_points(place, most)] == [f"Study {title}" for title in titles]


def test_both_files_are_written(place):
    paths = write_style_map(place.root)
    assert paths == (f"{place.root}/styles.png", f"{place.root}/styles.html")
    with place.fs.open_input_stream(paths[0]) as file:
        assert file.read()[:8] == b"\x89PNG\r\n\x1a\n"
    with place.fs.open_input_stream(paths[1]) as file:
        assert "jazz, piano" in file.read().decode()


def test_a_map_needs_styles(tmp_path):
    with pytest.raises(WorkspaceError, match="it has no styles yet"):
        write_style_map(str(tmp_path / "w"))
