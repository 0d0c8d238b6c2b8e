"""Several ranks of one training, as processes of their own."""

import json
import subprocess
import sys

import pytest

TRAIN = """
import json, os, sys
from pathlib import Path
import numpy as np
import torch
from strategies import compose
from amt_ray.config import ModelShape, TrainSettings
from amt_ray.events.quantise import quantise
from amt_ray.training.batches import Rows
from amt_ray.training.context import LocalContext
from amt_ray.training.loop import train
from amt_ray.training.windows import Labels, cut_windows

torch.set_num_threads(1)
windows = [w for seed in range(4) for w in cut_windows(quantise(compose(seed, 5)), Labels(), 128)]
lengths = [len(window.ids) for window in windows]
zeros = np.zeros(len(windows), np.int64)
n_controls = np.array([window.n_controls for window in windows])
texts = [np.array([0, 1])] * len(windows)
ids, starts = np.concatenate([window.ids for window in windows]), np.append(0, np.cumsum(lengths))
rows = Rows(ids, starts, n_controls, zeros, texts, np.eye(2, 8, dtype=np.float32))
context = LocalContext(Path(sys.argv[1]))
context.rank, context.world_size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
kill_after = int(sys.argv[3])
log = context.log

def log_until_killed(record):
    log(record)
    if record["step"] == kill_after:
        os.killpg(0, 9)

context.log = log_until_killed
settings = TrainSettings(
    batch_tokens=int(sys.argv[2]), max_steps=6, learning_rate=1e-2, epochs=99, checkpoint_steps=2, checkpoint_s=0,
    shard=sys.argv[4] == "True", accumulation=int(sys.argv[5]),
)
train(rows, rows, ModelShape(layers=1, hidden_dim=32, heads=2, context_tokens=256, dropout=0.0), settings, context)
if context.rank == 0:
    print(json.dumps([record["loss"] for record in context.records]))
    print(json.dumps(context.records[-1]["validation_loss"]))
"""


def trained(folder, ranks, batch_tokens, kill_after=0, shard=False, accumulation=1):
    """The losses of the steps, and the validation loss at the end; None if it was killed."""
    folder.mkdir(exist_ok=True)
    script = folder.parent / "train.py"
    script.write_text(TRAIN)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    command = [
        *(launch if ranks > 1 else [sys.executable]),
        script,
        folder,
        str(batch_tokens),
        str(kill_after),
        str(shard),
        str(accumulation),
    ]
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path), "OMP_NUM_THREADS": "1", "PATH": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, start_new_session=True)
    if kill_after:
        assert done.returncode != 0
        return None
    assert done.returncode == 0, done.stderr
    losses, validation_loss = map(json.loads, done.stdout.strip().splitlines()[-2:])
    return losses, validation_loss


@pytest.mark.parametrize(("shard", "accumulation"), [(False, 1), (True, 3)])
def test_two_ranks_learn_what_one_learns_with_twice_the_batch_and_one_can_go_on_from_two(tmp_path, shard, accumulation):
    two_losses, two_validation = trained(tmp_path / "two", 2, 400, shard=shard, accumulation=accumulation)
    one_losses, one_validation = trained(tmp_path / "one", 1, 800)
    assert two_losses == pytest.approx(one_losses, rel=1e-4)
    assert two_validation == pytest.approx(one_validation, rel=1e-4)
    assert one_losses[-1] < one_losses[0] - 1
    trained(tmp_path / "both", 2, 400, kill_after=5, shard=shard)
    losses, validation = trained(tmp_path / "both", 1, 400)
    assert losses == pytest.approx(one_losses[4:], rel=1e-3)
    assert validation == pytest.approx(one_validation, rel=1e-3)
