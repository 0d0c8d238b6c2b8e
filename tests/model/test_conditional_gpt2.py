import math

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from amt_ray.config import PRESETS, ModelShape
from amt_ray.events.vocabulary import BAR, BOS, EOS, N_IDS, PAD, PITCH, POSITION, PROGRAM
from amt_ray.model.conditional_gpt2 import TOLD_SHARE, frame, new_model

SHAPE = ModelShape(layers=2, hidden_dim=32, heads=2, context_tokens=256, prefix_tokens=3)
TEXT_DIM = 8
B, T = 4, 20
FIRST_CONTROL = POSITION.start
NOTHING = torch.full((B, 2), PAD)


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = new_model(SHAPE, TEXT_DIM).eval()
    for parameter in (model.no_text, model.told.weight, model.told_text.weight):
        nn.init.normal_(parameter)
    return model


@pytest.fixture(scope="module")
def inputs():
    rng = torch.Generator().manual_seed(1)
    ids = torch.randint(0, N_IDS, (B, T), generator=rng)
    ids[:, 9], ids[3, 4] = BAR, PITCH.start
    ids[:, :9][ids[:, :9] == BAR] = PITCH.start
    text = nn.functional.normalize(torch.randn(B, TEXT_DIM, generator=rng), dim=1)
    return ids, text, torch.tensor([True, False, True, True])


@torch.no_grad()
def test_logits_are_those_of_plain_gpt2_on_the_same_embeddings(model, inputs):
    ids, text, has_text = inputs
    plain = GPT2LMHeadModel(
        GPT2Config(vocab_size=N_IDS, n_positions=256 + 3, n_embd=32, n_layer=2, n_head=2, bos_token_id=BOS, eos_token_id=EOS)
    ).eval()
    plain.load_state_dict(model.state_dict(), strict=False)
    rows = []
    for b in range(B):
        prefix = (text[b] @ model.text_prefix.weight.T + model.text_prefix.bias).reshape(3, 32)
        place, program, events = PAD, PAD, []
        told = TOLD_SHARE * has_text[b] * (text[b] @ model.told_text.weight.T)
        for t, event in enumerate(ids[b].tolist()):
            if BAR not in ids[b, : t + 1] and event >= FIRST_CONTROL:
                told = told + TOLD_SHARE * model.told.weight[event]
            place = event if event == BAR or POSITION.start <= event < POSITION.end else place
            program = event if PROGRAM.start <= event < PROGRAM.end else program
            events.append(plain.transformer.wte.weight[[event, place, program]].sum(0) + told)
        rows.append(torch.cat([prefix if has_text[b] else model.no_text, torch.stack(events)]))
    wanted = plain(inputs_embeds=torch.stack(rows)).logits[:, 3:]
    got = model(ids, text, has_text)
    assert got.shape == (B, T, N_IDS)
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)


def test_the_frame_is_the_last_time_and_the_last_program():
    time, violin, piano, pitch = POSITION.start + 4, PROGRAM.start + 40, PROGRAM.start, PITCH.start
    ids = torch.tensor([[BOS, violin, BAR, time, piano, pitch, BAR, pitch]])
    places = [PAD, PAD, BAR, time, time, time, BAR, BAR]
    programs = [PAD, violin, violin, violin, piano, piano, piano, piano]
    assert frame(ids, NOTHING[:1]).tolist() == [[list(pair) for pair in zip(places, programs, strict=True)]]


def test_the_frame_goes_on_from_what_came_before():
    ids = torch.randint(0, N_IDS, (3, 400), generator=torch.Generator().manual_seed(2))
    whole = frame(ids, NOTHING[:3])
    for cut in (1, 7, 399):
        assert torch.equal(frame(ids[:, cut:], whole[:, cut - 1]), whole[:, cut:])


@torch.no_grad()
def test_events_are_embedded_alike_at_once_and_bit_by_bit(model, inputs):
    ids, text, has_text = inputs
    whole, last = model.embed_events(ids, model.start(text, has_text))
    for cut in (1, 5, 9, 10, T - 1):
        first, place = model.embed_events(ids[:, :cut], model.start(text, has_text))
        rest, end = model.embed_events(ids[:, cut:], place)
        torch.testing.assert_close(torch.cat([first, rest], 1), whole)
        torch.testing.assert_close(end, last)


@torch.no_grad()
def test_a_new_model_adds_nothing_for_what_it_is_told():
    model = new_model(SHAPE, TEXT_DIM)
    assert model.told.weight.count_nonzero() == model.told_text.weight.count_nonzero() == 0


@torch.no_grad()
@pytest.mark.parametrize("changed", [0, 1, 11, T - 1])
def test_an_event_changes_only_what_comes_after_it(model, inputs, changed):
    ids, text, has_text = inputs
    other = ids.clone()
    other[:, changed] = (other[:, changed] + 1) % N_IDS
    before, after = model(ids, text, has_text), model(other, text, has_text)
    assert torch.equal(before[:, :changed], after[:, :changed])
    assert (before[:, changed:] != after[:, changed:]).any(dim=2).all()


@torch.no_grad()
def test_padding_on_the_right_changes_nothing_before_it(model, inputs):
    ids, text, has_text = inputs
    padded = torch.cat([ids, torch.full((B, 7), PAD)], dim=1)
    torch.testing.assert_close(model(padded, text, has_text)[:, :T], model(ids, text, has_text), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_the_text_counts_just_where_it_is_shown(model, inputs):
    ids, text, has_text = inputs
    same, changed = model(ids, text, has_text), model(ids, -text, has_text)
    assert [torch.equal(same[b], changed[b]) for b in range(B)] == [False, True, False, False]
    assert torch.equal(model.prefix(text, has_text)[1], model.no_text)


@pytest.mark.parametrize(("preset", "low", "high"), [("small", 10e6, 13e6), ("base", 20e6, 25e6), ("large", 74e6, 82e6)])
def test_presets_have_the_size_that_they_promise(preset, low, high):
    with torch.device("meta"):
        model = new_model(PRESETS[preset], text_dim=384)
    shape = PRESETS[preset]
    d, positions = shape.hidden_dim, shape.context_tokens + shape.prefix_tokens
    block = 12 * d * d + 13 * d
    prefix = 385 * shape.prefix_tokens * d + shape.prefix_tokens * d
    told = (N_IDS + 384) * d
    assert model.num_parameters() == (N_IDS + positions) * d + shape.layers * block + 2 * d + prefix + told
    assert low <= model.num_parameters() <= high


def test_the_context_holds_the_prefix_and_all_events(model, inputs):
    _, text, has_text = inputs
    assert model.config.n_positions == 259
    with torch.no_grad():
        assert model(torch.zeros(1, 256, dtype=torch.long), text[:1], has_text[:1]).shape == (1, 256, N_IDS)


def test_an_untrained_model_knows_nothing_yet(model, inputs):
    with torch.no_grad():
        log_p = model(*inputs).log_softmax(dim=2)
    assert 0 < -log_p.mean().item() - math.log(N_IDS) < 1


def test_the_seed_makes_the_weights():
    def weights(seed):
        torch.manual_seed(seed)
        return torch.cat([p.detach().flatten() for p in new_model(SHAPE, TEXT_DIM).parameters()])

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))
