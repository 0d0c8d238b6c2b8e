import json
import struct

from pyarrow.fs import LocalFileSystem, SubTreeFileSystem
from tensorboardX.proto.event_pb2 import Event

from amt_ray.artifacts import Workspace
from amt_ray.pipelines.training_log import TrainingLog


def steps(*numbers, **others):
    return [{"step": number, "loss": 1.0 / number, **others} for number in numbers]


def write(place, records):
    log = TrainingLog(place, "run")
    for record in records:
        log.add(record)
    log.close()
    return log.history


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics/run.jsonl").read_text().splitlines()]


def test_the_records_of_a_run_that_went_on_follow_those_before_it(tmp_path):
    place = Workspace(str(tmp_path))
    assert write(place, steps(1, 2, 3)) == steps(1, 2, 3) == lines(tmp_path)
    again = [{"step": 3, "loss": 9.0}, *steps(4)]
    assert write(place, again) == [*steps(1, 2), *again] == lines(tmp_path)
    assert write(place, []) == [*steps(1, 2), *again] == lines(tmp_path)


def test_a_worker_that_was_started_again_takes_its_steps_again(tmp_path):
    place = Workspace(str(tmp_path))
    assert write(place, [*steps(1, 2, 3), *steps(2, 3, 4)]) == steps(1, 2, 3, 4) == lines(tmp_path)


def test_a_line_is_there_as_soon_as_its_step_is_taken_and_half_a_line_is_forgotten(tmp_path):
    place = Workspace(str(tmp_path))
    log = TrainingLog(place, "run")
    log.add(steps(1)[0])
    assert lines(tmp_path) == steps(1)
    log.close()
    with (tmp_path / "metrics/run.jsonl").open("a") as file:
        file.write('{"step": 2, "lo')
    assert write(place, steps(3)) == [*steps(1), *steps(3)] == lines(tmp_path)


def test_another_machine_s_workspace_has_them_at_the_end(tmp_path):
    place = Workspace(str(tmp_path))
    place.fs = SubTreeFileSystem("/", LocalFileSystem())
    assert write(place, steps(1, 2)) == lines(tmp_path) == steps(1, 2)
    assert not (tmp_path / "tensorboard").exists()


def curves(folder):
    """The scalars of all event files: a record is its length, a checksum of that, a protocol buffer and its checksum."""
    found = []
    for path in sorted((folder / "tensorboard/run").iterdir()):
        raw, at = path.read_bytes(), 0
        while at < len(raw):
            (n,) = struct.unpack("<Q", raw[at : at + 8])
            event = Event.FromString(raw[at + 12 : at + 12 + n])
            found += [(value.tag, event.step, round(value.simple_value, 6)) for value in event.summary.value]
            at += 16 + n
    return found


def test_tensorboard_gets_the_curves(tmp_path):
    write(Workspace(str(tmp_path)), [*steps(1, epoch=1), *steps(2, validation_loss=0.25)])
    assert curves(tmp_path) == [("loss", 1, 1.0), ("loss", 2, 0.5), ("validation_loss", 2, 0.25)]
