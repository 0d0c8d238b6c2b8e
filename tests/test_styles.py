import numpy as np
import pytest

from amt_ray.styles import fit_styles

WORDS = (("piano", "nocturne"), ("guitar", "blues"), ("fugue", "organ"))
SIZES = (5, 12, 8)


@pytest.fixture(scope="module")
def three_clouds():
    """25 unit vectors around three axes of 6-space, the sizes 5, 12 and 8, with texts that tell them apart."""
    rng = np.random.default_rng(0)
    cloud = np.repeat(np.arange(3), SIZES)
    vectors = np.eye(6)[cloud] + 0.05 * rng.standard_normal((len(cloud), 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [f"a piece, {WORDS[c][0]} and {WORDS[c][1]}" for c in cloud]
    order = rng.permutation(len(cloud))
    return vectors[order].astype(np.float32), [texts[i] for i in order], cloud[order]


def test_the_number_of_styles_is_where_the_silhouette_is_highest(three_clouds):
    vectors, texts, _ = three_clouds
    book = fit_styles(vectors, texts, 2, 6, seed=0)
    assert set(book.silhouette_by_k) == {2, 3, 4, 5, 6}
    assert max(book.silhouette_by_k, key=book.silhouette_by_k.get) == 3
    assert len(book.centroids) == len(book.names) == 3


def test_silhouettes_are_those_of_the_definition(three_clouds):
    vectors, texts, _ = three_clouds
    book = fit_styles(vectors, texts, 3, 3, seed=0)
    distance = np.linalg.norm(vectors[:, None].astype(float) - vectors[None], axis=2)
    widths = []
    for i, own in enumerate(book.style_of_row):
        means = {
            style: distance[i, (book.style_of_row == style) & (np.arange(len(vectors)) != i)].mean() for style in range(3)
        }
        a = means.pop(own)
        widths.append((min(means.values()) - a) / max(a, min(means.values())))
    assert book.silhouette_by_k[3] == pytest.approx(np.mean(widths), abs=1e-5)


def test_styles_are_numbered_by_size_and_hold_the_clouds(three_clouds):
    vectors, texts, cloud = three_clouds
    book = fit_styles(vectors, texts, 2, 6, seed=3)
    rank = {1: 0, 2: 1, 0: 2}
    assert book.style_of_row.tolist() == [rank[c] for c in cloud]
    for style in range(3):
        mean = vectors[book.style_of_row == style].mean(axis=0)
        assert book.centroids[style] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    assert book.centroids.dtype == np.float32


def test_names_are_the_words_that_tell_a_style_from_the_rest(three_clouds):
    vectors, texts, _ = three_clouds
    names = fit_styles(vectors, texts, 2, 6, seed=0).names
    assert [set(name.split(", ")[:2]) for name in names] == [{"guitar", "blues"}, {"fugue", "organ"}, {"piano", "nocturne"}]


def test_the_same_seed_gives_the_same_book(three_clouds):
    vectors, texts, _ = three_clouds
    one, two = (fit_styles(vectors, texts, 2, 5, seed=4) for _ in range(2))
    assert one.centroids.tobytes() == two.centroids.tobytes()
    assert (one.names, one.silhouette_by_k) == (two.names, two.silhouette_by_k)


@pytest.mark.parametrize("n_rows", [1, 2])
def test_too_few_rows_are_one_style(n_rows):
    vectors = np.eye(4, dtype=np.float32)[:n_rows]
    book = fit_styles(vectors, ["calm piano"] * n_rows, 2, 10, seed=0)
    assert book.style_of_row.tolist() == [0] * n_rows
    assert book.silhouette_by_k == {}
    assert book.names == ("calm, piano",)


def test_equal_rows_are_one_style_however_many():
    vectors = np.tile(np.eye(4, dtype=np.float32)[:1], (9, 1))
    book = fit_styles(vectors, ["organ"] * 9, 2, 4, seed=0)
    assert book.style_of_row.tolist() == [0] * 9
    assert book.centroids.tolist() == [[1.0, 0.0, 0.0, 0.0]]


def test_texts_without_words_are_numbered():
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 0, 1, 1, 2]]
    names = fit_styles(vectors, ["12 !"] * 6, 2, 2, seed=0).names
    assert names == ("style 0", "style 1")


def test_styles_with_the_same_words_have_names_of_their_own():
    vectors = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0) + np.linspace(0, 0.01, 12, dtype=np.float32)[:, None]
    book = fit_styles(vectors, ["slow piano waltz"] * 12, 3, 3, seed=0)
    assert len(set(book.names)) == 3
