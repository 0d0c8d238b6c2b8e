import pytest

from amt_ray.errors import TrainingError
from amt_ray.pipelines.board import Board, followed


@pytest.fixture
def board(ray_local):
    import ray

    return ray.remote(Board).options(num_cpus=0).remote()


def post(board, *steps):
    import ray

    ray.get([board.post.remote({"step": step}) for step in steps])


def test_records_are_read_once_in_order_up_to_the_last(board):
    read = []
    with followed(board, read.append, interval_s=0.01):
        post(board, 1, 2, 3)
    assert read == [{"step": 1}, {"step": 2}, {"step": 3}]


def test_what_the_reader_raises_comes_after_the_body(board):
    def refuse(record):
        raise TrainingError("the disk is full", "make room")

    body = []

    def train():
        with followed(board, refuse, interval_s=0.01):
            post(board, 1)
            body.append("ran")

    with pytest.raises(TrainingError, match="the disk is full"):
        train()
    assert body == ["ran"]


def test_a_training_that_stopped_says_why():
    board = Board()
    assert board.stopped_by() is None
    board.stop(TrainingError("the loss is nan", "begin again"))
    assert str(board.stopped_by()) == "training stopped: the loss is nan; begin again."
