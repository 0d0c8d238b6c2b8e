"""The map of a workspace's styles, as a picture and as a page: `styles.png` and `styles.html`."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from amt_ray.artifacts import Workspace
from amt_ray.media.style_map import StylePoint, draw_style_map, style_map_html

STYLES_PNG, STYLES_HTML = "styles.png", "styles.html"
MOST_POINTS = 100_000
"""Of more pieces every second, third … is on the map, by piece id."""


def write_style_map(workspace: str) -> tuple[str, str]:
    """Write both files into the workspace and return where they are.

    Raises WorkspaceError where there are no styles, OutputError where the workspace cannot be written.
    """
    place = Workspace(workspace)
    names = place.table("styles", ["name"])["name"].to_pylist()
    points = style_points(place)
    place.write_bytes(STYLES_PNG, draw_style_map(points, names))
    place.write_bytes(STYLES_HTML, style_map_html(points, names).encode())
    return f"{workspace.rstrip('/')}/{STYLES_PNG}", f"{workspace.rstrip('/')}/{STYLES_HTML}"


def style_points(place: Workspace, most: int = MOST_POINTS) -> list[StylePoint]:
    """Return the pieces that have a style, at most `most`, in the order of their ids."""
    styled = place.table("style_of_piece")
    styled = styled.take(pa.array(range(0, styled.num_rows, -(-styled.num_rows // most) or 1), pa.int64()))
    pieces = place.table("pieces", ["piece_id", "title", "artist"])
    pieces = pieces.take(pc.index_in(styled["piece_id"], pieces["piece_id"].combine_chunks()))
    return [
        StylePoint(piece["title"] or "", piece["artist"] or "", row["style"], row["x"], row["y"])
        for piece, row in zip(pieces.to_pylist(), styled.to_pylist(), strict=True)
    ]
