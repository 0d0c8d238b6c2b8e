import numpy as np
import pytest
import torch

from amt_ray.config import ModelShape
from amt_ray.events.controls import Controls, control_ids
from amt_ray.events.grammar import check
from amt_ray.events.vocabulary import BOS, EOS
from amt_ray.generation.engine import Row, generate
from amt_ray.generation.sampling import constrain, draw, temperature, top_k, top_p
from amt_ray.generation.steering import Steering
from amt_ray.model.conditional_gpt2 import new_model

TEXT_DIM = 8
PLANS = (
    Controls(),
    Controls(programs=(0, 40), bars=3, tempo_bpm=90, key="D minor", time_signature="3/4", genre="jazz", mood="calm"),
    Controls(polyphony="mono", programs=(73,)),
    Controls(style=3, bars=1),
    Controls(density_notes_per_beat=2.0, bars=6, time_signature="6/8"),
)


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = new_model(ModelShape(layers=2, hidden_dim=32, heads=2, context_tokens=256), TEXT_DIM).eval()
    with torch.no_grad():  # an untrained model's logits are nearly flat: these have opinions
        for parameter in model.parameters():
            parameter.mul_(3.0)
        torch.nn.init.normal_(model.told.weight)
        torch.nn.init.normal_(model.told_text.weight)
    return model


def row(controls, seed, max_tokens=120, **sampling):
    rng = np.random.default_rng([7, seed])
    text = rng.standard_normal(TEXT_DIM).astype(np.float32)
    return Row(
        prompt=[BOS, *control_ids(controls)],
        text_E=text / np.linalg.norm(text),
        steering=Steering(controls, (), max_tokens),
        rng=np.random.default_rng(seed),
        **{"temperature": 0.9, "top_k": None, "top_p": 0.95, **sampling},
    )


@torch.no_grad()
def naive(model, row):
    """Generate one row by a whole forward pass a step."""
    ids, text = [], torch.from_numpy(row.text_E)[None]
    for event_id in row.prompt:
        ids.append(event_id)
        row.steering.push(event_id)
    while ids[-1] != EOS:
        logits = model(torch.tensor([ids]), text, torch.tensor([True]))[0, -1].double().numpy()
        logits = constrain(row.steering.end_logit(logits), row.steering.mask())
        ids.append(draw(top_p(top_k(temperature(logits, row.temperature), row.top_k), row.top_p), row.rng))
        row.steering.push(ids[-1])
    return ids


SAMPLINGS = ({}, {"temperature": 1.4, "top_p": 1.0}, {"top_k": 5}, {"top_k": 1}, {"temperature": 0.3, "top_p": 0.5})


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("controls", PLANS, ids=range(len(PLANS)))
def test_alone_a_row_is_what_the_naive_generator_gives(model, controls, seed):
    sampling = SAMPLINGS[seed]
    assert generate(model, [row(controls, seed, **sampling)]) == [naive(model, row(controls, seed, **sampling))]


def test_among_others_each_row_is_what_it_is_alone(model):
    def rows():
        return [
            row(controls, seed, 64 + 20 * seed, **sampling)
            for seed, (controls, sampling) in enumerate(zip(PLANS * 2, SAMPLINGS * 2, strict=True))
        ]

    wanted = [naive(model, each) for each in rows()]
    assert generate(model, rows()) == wanted
    assert list(reversed(generate(model, list(reversed(rows()))))) == wanted
    assert len({len(ids) for ids in wanted}) > 5
    assert all(check(ids).last == "END" for ids in wanted)


def test_the_seed_makes_the_music(model):
    same = generate(model, [row(Controls(), 5), row(Controls(), 5)])
    other = row(Controls(), 5)
    assert same[0] == same[1]
    other = Row(**{**vars(row(Controls(), 5)), "rng": np.random.default_rng(6)})
    assert generate(model, [other])[0] != same[0]


def test_the_text_is_heard(model):
    one, two = row(Controls(), 5), row(Controls(), 5)
    two = Row(**{**vars(two), "text_E": -two.text_E})
    assert generate(model, [one]) != generate(model, [two])


def test_the_context_can_be_filled_to_its_last_position(model):
    ids = generate(model, [row(Controls(bars=256), 0, 256), row(Controls(), 1, 64)])
    assert 240 < len(ids[0]) <= 256
    assert len(ids[1]) <= 64


def test_each_step_is_told(model):
    steps = []
    (ids,) = generate(model, [row(Controls(bars=2), 0)], steps.append)
    assert steps == list(range(1, len(ids)))[: len(ids) - 1 - len(control_ids(Controls(bars=2)))]


def test_no_rows_no_sequences(model):
    assert generate(model, []) == []
