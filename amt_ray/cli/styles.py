"""`amt styles`: the styles of a workspace, and how `amt prepare` shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amt_ray.config import PrepareSettings
from amt_ray.console import Display

if TYPE_CHECKING:
    from amt_ray.pipelines.styles import StylesReport


MinStyles = Annotated[int | None, typer.Option(help="Fewest styles tried; as before by default, or 2.")]
MaxStyles = Annotated[int | None, typer.Option(help="Most styles tried; as before by default, or 10.")]
StylesSeed = Annotated[int | None, typer.Option(help="Seed of the clustering; as before by default, or 0.")]


def given(**options: int | None) -> dict[str, Any]:
    """Return the options that were named: others stay as they were when the styles were found."""
    return {name: value for name, value in options.items() if value is not None}


def styles(
    workspace: Annotated[str, typer.Argument(help="Folder that `amt prepare` has filled.")],
    min_styles: MinStyles = None,
    max_styles: MaxStyles = None,
    seed: StylesSeed = None,
    refit: Annotated[bool, typer.Option("--refit", help="Find new styles; other settings do so, too.")] = False,
) -> None:
    """Show the styles of the pieces and draw their map; styles stay as they are unless new ones are asked for."""
    from amt_ray.artifacts import without_secrets
    from amt_ray.pipelines.style_maps import write_style_map
    from amt_ray.pipelines.styles import restyle

    settings = PrepareSettings(**given(min_styles=min_styles, max_styles=max_styles, seed=seed))
    display = Display()
    with display.progress() as progress:
        report = restyle(workspace, settings, refit, progress)
    show_styles(display, report)
    display.say(f"map: {', '.join(map(without_secrets, write_style_map(workspace)))}")
    if report.is_prepare_due:
        display.say(f"the training windows carry other styles: run `amt prepare {without_secrets(workspace)}`")


def show_styles(display: Display, report: StylesReport) -> None:
    """Print the silhouette of each K and, of each style, its share of the pieces, its name and example pieces."""
    for line in styles_lines(report):
        display.say(line)


def styles_lines(report: StylesReport) -> Iterator[str]:
    """Return what `show_styles` prints."""
    scores = report.silhouette_by_k
    best = max(scores, key=lambda k: scores[k], default=None)
    if best is None:
        yield "Too few different pieces to cluster: all are one style"
    else:
        yield f"Trying K values: {list(scores)}"
        yield "Silhouette scores:"
        yield from (f"- K={k}: {score:.3f}{' ← Best' if k == best else ''}" for k, score in scores.items())
        yield ""
        yield f"Selected optimal K: {best}"
    if report.n_pieces != report.n_pieces_fitted:
        fitted = f"{report.n_pieces_fitted:,} pieces, now there are {report.n_pieces:,}"
        yield f"Styles are kept that were found in {fitted}; `amt styles WORKSPACE --refit` finds new ones"
    yield "Cluster distribution:"
    for number, style in enumerate(report.styles):
        share = style.n_pieces / max(report.n_pieces, 1)
        yield f"- Cluster {number}: {style.n_pieces:,} samples ({share:.1%}): {style.name}"
        if style.examples:
            yield f"    such as {'; '.join(style.examples)}"
