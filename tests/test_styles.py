import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from amt_ray.styles import assign, example_rows, fit_styles, project

SIZES = (5, 12, 8)


def clouds(sizes, n_numbers=6, spread=0.05, seed=0):
    """Unit vectors around as many axes as there are sizes, shuffled, and the axis of each."""
    rng = np.random.default_rng(seed)
    cloud = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    vectors = np.eye(n_numbers)[cloud] + spread * rng.standard_normal((len(cloud), n_numbers))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), cloud


@pytest.fixture(scope="module")
def three_clouds():
    return clouds(SIZES)


def test_the_number_of_styles_is_where_the_silhouette_is_highest(three_clouds):
    vectors, _ = three_clouds
    book = fit_styles(vectors, 2, 6, seed=0)
    assert list(book.silhouette_by_k) == [2, 3, 4, 5, 6]
    assert max(book.silhouette_by_k, key=book.silhouette_by_k.get) == 3
    assert len(book.centroids) == 3


def test_silhouettes_are_those_of_the_definition(three_clouds):
    vectors, _ = three_clouds
    book = fit_styles(vectors, 3, 3, seed=0)
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
    vectors, cloud = three_clouds
    book = fit_styles(vectors, 2, 6, seed=3)
    rank = {1: 0, 2: 1, 0: 2}
    assert book.style_of_row.tolist() == [rank[c] for c in cloud]
    for style in range(3):
        mean = vectors[book.style_of_row == style].mean(axis=0)
        assert book.centroids[style] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    assert book.centroids.dtype == np.float32


def test_the_same_seed_gives_the_same_bytes_and_another_seed_may_not():
    vectors, _ = clouds((30, 30, 30), spread=0.6)
    one, two = (fit_styles(vectors, 2, 5, seed=4) for _ in range(2))
    assert one.centroids.tobytes() == two.centroids.tobytes()
    assert one.style_of_row.tobytes() == two.style_of_row.tobytes()
    assert one.silhouette_by_k == two.silhouette_by_k


@given(st.integers(0, 2**16), st.integers(2, 60))
def test_assigning_the_fitted_rows_gives_their_styles_again(seed, n_rows):
    vectors = np.random.default_rng(seed).standard_normal((n_rows, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    book = fit_styles(vectors, 2, 3, seed=0)
    style_of_row, similarity = assign(vectors, book.centroids)
    assert style_of_row.tolist() == book.style_of_row.tolist()
    assert similarity.tolist() == book.similarity.tolist()
    sizes = np.bincount(book.style_of_row, minlength=len(book.centroids))
    assert sizes.tolist() == sorted(sizes, reverse=True)
    assert sizes.min() > 0


@pytest.mark.parametrize(("n_rows", "tried"), [(1, []), (2, []), (3, [2]), (4, [2, 3])])
def test_a_number_of_styles_needs_more_different_rows(n_rows, tried):
    book = fit_styles(np.eye(4, dtype=np.float32)[:n_rows], 2, 10, seed=0)
    assert list(book.silhouette_by_k) == tried
    assert len(book.style_of_row) == n_rows


def test_equal_rows_are_one_style_however_many():
    vectors = np.tile(np.eye(4, dtype=np.float32)[:1], (9, 1))
    book = fit_styles(vectors, 2, 4, seed=0)
    assert book.style_of_row.tolist() == [0] * 9
    assert book.centroids.tolist() == [[1.0, 0.0, 0.0, 0.0]]
    assert book.similarity.tolist() == [1.0] * 9


def test_no_rows_are_no_styles():
    book = fit_styles(np.zeros((0, 4), np.float32), 2, 4, seed=0)
    assert book.centroids.shape == (0, 4)
    assert (book.style_of_row.tolist(), book.silhouette_by_k) == ([], {})
    assert project(np.zeros((0, 4), np.float32), seed=0).shape == (0, 2)


def test_many_rows_go_by_batches_and_samples_and_find_the_same_clouds(monkeypatch):
    import sklearn.cluster

    vectors, cloud = clouds((200, 150, 100), n_numbers=8)
    exact = fit_styles(vectors, 2, 5, seed=0)
    monkeypatch.delattr(sklearn.cluster, "KMeans")
    with pytest.raises(ImportError):
        fit_styles(vectors, 2, 5, seed=0)
    monkeypatch.undo()
    sampled = fit_styles(vectors, 2, 5, seed=0, many_rows=300)
    assert adjusted_rand_score(cloud, sampled.style_of_row) == 1
    assert sampled.silhouette_by_k != exact.silhouette_by_k
    assert sampled.silhouette_by_k == pytest.approx(exact.silhouette_by_k, abs=0.15)
    again = fit_styles(vectors, 2, 5, seed=0, many_rows=300)
    assert again.centroids.tobytes() == sampled.centroids.tobytes()


def test_a_row_is_of_the_style_of_the_highest_cosine():
    centroids = np.array([[1, 0], [0, 1]], np.float32)
    style_of_row, similarity = assign(np.array([[0.6, 0.8], [0.8, -0.6]], np.float32), centroids)
    assert (style_of_row.tolist(), style_of_row.dtype) == ([1, 0], np.int64)
    assert similarity.tolist() == pytest.approx([0.8, 0.8])
    assert similarity.dtype == np.float32
    assert [part.tolist() for part in assign(np.zeros((0, 2), np.float32), centroids)] == [[], []]


@pytest.mark.parametrize("shape", [(0, 2), (3, 5)])
def test_rows_that_cannot_be_assigned_are_refused(shape):
    with pytest.raises(ValueError, match=r"vectors \(1, 2\) cannot be assigned to centroids"):
        assign(np.ones((1, 2), np.float32), np.ones(shape, np.float32))


def test_examples_are_the_nearest_of_different_artists():
    styles = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2])
    similarity = np.array([0.5, 0.9, 0.8, 0.7, 0.6, 0.1, 0.3, 0.2, 0.9], np.float32)
    artists = ["Cleo", "Ada", "Ada", "Bela", "Ada", "Dora", "Dora", "Dora", ""]
    assert example_rows(styles, similarity, artists, 3) == [[1, 3, 0], [6, 7, 5], [8]]


def test_the_map_keeps_like_beside_like_and_is_the_same_each_time():
    vectors, cloud = clouds((30, 30, 30), n_numbers=12, spread=0.1)
    flat = project(vectors, seed=0)
    assert (flat.shape, flat.dtype) == ((90, 2), np.float32)
    distance = np.linalg.norm(flat[:, None] - flat[None], axis=2) + 1e9 * np.eye(90)
    assert (cloud[distance.argmin(axis=1)] == cloud).all()
    assert flat.std(axis=0).max() == pytest.approx(1, abs=1e-5)
    assert flat.mean(axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert project(vectors, seed=0).tobytes() == flat.tobytes()


def test_the_map_of_many_rows_is_of_the_principal_components():
    vectors, _ = clouds((30, 20, 10), n_numbers=5)
    centred = vectors - vectors.mean(axis=0)
    parts = np.linalg.svd(centred, full_matrices=False)
    expected = parts[0][:, :2] * parts[1][:2]
    flat = project(vectors, seed=0, most_rows=10)
    assert np.abs(flat) == pytest.approx(np.abs(expected / expected.std(axis=0).max()), abs=1e-3)


@pytest.mark.parametrize("n_rows", [1, 2, 3, 5])
def test_a_map_of_few_or_equal_rows_is_finite(n_rows):
    for vectors in (np.eye(6, dtype=np.float32)[:n_rows], np.tile(np.eye(6, dtype=np.float32)[:1], (n_rows, 1))):
        flat = project(vectors, seed=0)
        assert flat.shape == (n_rows, 2)
        assert np.isfinite(flat).all()
