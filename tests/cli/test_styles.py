from amt_ray.cli.main import main
from amt_ray.cli.styles import styles_lines
from amt_ray.pipelines.styles import StylesReport, StyleSummary

REPORT = StylesReport(
    silhouette_by_k={2: 0.2341, 3: 0.4558, 4: 0.4},
    styles=(
        StyleSummary("jazz, alto saxophone", 600, ("Ada - One", "Bela - Two")),
        StyleSummary("baroque, harpsichord", 400, ()),
        StyleSummary("rock", 200, ("Three",)),
    ),
    n_pieces=1200,
    n_pieces_fitted=1200,
    is_prepare_due=False,
)


def test_the_table_of_styles():
    assert list(styles_lines(REPORT)) == [
        "Trying K values: [2, 3, 4]",
        "Silhouette scores:",
        "- K=2: 0.234",
        "- K=3: 0.456 ← Best",
        "- K=4: 0.400",
        "",
        "Selected optimal K: 3",
        "Cluster distribution:",
        "- Cluster 0: 600 samples (50.0%): jazz, alto saxophone",
        "    such as Ada - One; Bela - Two",
        "- Cluster 1: 400 samples (33.3%): baroque, harpsichord",
        "- Cluster 2: 200 samples (16.7%): rock",
        "    such as Three",
    ]


def test_styles_that_are_kept_say_of_which_pieces_they_are():
    kept = StylesReport(**(vars(REPORT) | {"n_pieces_fitted": 1000}))
    assert [line for line in styles_lines(kept) if "kept" in line] == [
        "Styles are kept that were found in 1,000 pieces, now there are 1,200; `amt styles WORKSPACE --refit` finds new ones"
    ]


def test_nothing_to_choose_from():
    one = StylesReport({}, (StyleSummary("rock", 1, ()),), 1, 1, False)
    assert next(styles_lines(one)) == "Too few different pieces to cluster: all are one style"


def test_styles_before_prepare(tmp_path, capsys):
    assert main(["styles", str(tmp_path / "w")]) == 4
    assert "it has no embeddings yet; run `amt prepare` first" in capsys.readouterr().err
