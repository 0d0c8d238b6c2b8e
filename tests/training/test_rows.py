import numpy as np
import pytest

from amt_ray.training.rows import Ranges


def test_ranges_are_made_when_they_are_asked_for():
    ranges = Ranges(np.array([0, 3, 3, 5]), np.array([3, 3, 5, 9]))
    assert len(ranges) == 4
    assert [indices.tolist() for indices in ranges] == [[0, 1, 2], [], [3, 4], [5, 6, 7, 8]]
    assert ranges[-1].tolist() == [5, 6, 7, 8]
    assert ranges[np.int64(2)].tolist() == [3, 4]
    assert [indices.tolist() for indices in ranges[1:3]] == [[], [3, 4]]
    with pytest.raises(IndexError):
        ranges[4]
