import hashlib
import io

import mido
import numpy as np
import pretty_midi
import pytest
import symusic
import torch

from amt_ray.config import ModelShape
from amt_ray.errors import BundleError, EncoderError, OutputError, RequestError
from amt_ray.events.encode import decode
from amt_ray.events.grammar import check
from amt_ray.events.vocabulary import BAR
from amt_ray.generation import composer as composer_module
from amt_ray.generation.composer import Composer, check_encoder
from amt_ray.generation.request import new_request
from amt_ray.midi.instruments import DRUMS
from amt_ray.midi.parse import parse_midi
from amt_ray.model.bundle import Bundle, EncoderInfo, Style, save_bundle
from amt_ray.model.conditional_gpt2 import new_model
from amt_ray.text.embed import DEFAULT_ENCODER, find_encoder

TEXT_DIM = 16
STYLES = (Style("piano", (1.0, *[0.0] * 15)), Style("drums", (0.0, 1.0, *[0.0] * 14)))


def hashed_vectors(texts):
    """Stand in for the sentence encoder: a unit vector that is a hash of the text."""
    rngs = [np.random.default_rng(list(hashlib.sha256(text.encode()).digest())) for text in texts]
    vectors = np.array([rng.standard_normal(TEXT_DIM) for rng in rngs], np.float32).reshape(-1, TEXT_DIM)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def bundle():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = new_model(ModelShape(layers=1, hidden_dim=32, heads=2, context_tokens=256), TEXT_DIM).eval()
    return Bundle(model, EncoderInfo(DEFAULT_ENCODER, "0" * 64, TEXT_DIM), STYLES, {})


@pytest.fixture(scope="module")
def composer(bundle):
    return Composer(bundle, hashed_vectors)


TEXTS = (
    "a melancholic jazz ballad with piano and saxophone",
    "solo flute, slow, in D minor",
    "a waltz in 3/4 at 140 bpm for strings",
    "drums and bass, fast and loud, 4 bars",
    "music",
    "a calm lullaby in 6/8, no drums, without piano",
    "very slow church organ",
    "🎻 ¿qué?",
)


@pytest.fixture(scope="module")
def takes(composer):
    """200 pieces of an untrained model."""
    requests = [
        new_request(text=TEXTS[seed % len(TEXTS)], seed=seed, max_tokens=100 + seed // 2, temperature=0.5 + seed / 100)
        for seed in range(200)
    ]
    return [take for first in range(0, 200, 50) for take in composer.generate_batch(requests[first : first + 50])]


def test_every_piece_opens_everywhere_with_the_same_notes(takes):
    assert len(takes) == 200
    for take in takes:
        n_notes = len(take.piece.notes)
        theirs = pretty_midi.PrettyMIDI(io.BytesIO(take.midi))
        messages = [message for message in mido.MidiFile(file=io.BytesIO(take.midi)) if not message.is_meta or message.time]
        assert n_notes > 0
        score = symusic.Score.from_midi(take.midi)
        assert (score.note_num(), score.tpq) == (n_notes, 480)
        assert sum(len(instrument.notes) for instrument in theirs.instruments) == n_notes
        assert sum(message.type == "note_on" and message.velocity > 0 for message in messages) == n_notes
        assert sum(message.time for message in messages[:-1]) == pytest.approx(take.piece.duration_s, abs=1e-3)
        assert parse_midi(take.midi).key == take.piece.key


def test_every_piece_keeps_to_its_plan(takes):
    for take in takes:
        controls = take.plan.controls
        assert len(take.ids) <= take.plan.request.max_tokens
        assert check(take.ids).last == "END"
        if controls.programs:
            assert set(take.piece.programs) <= set(controls.programs)
        assert not set(take.piece.programs) & set(take.plan.excluded_programs)
        met = {each.name: each.is_met for each in take.checks if each.name != "instrument"}
        assert met.pop("bars", True) or controls.bars is not None
        assert set(met.values()) <= {True}


def test_every_piece_ends_with_its_last_bar(takes):
    for take in takes:
        n, d = int(take.piece.metre_numerator[0]), int(take.piece.metre_denominator[0])
        assert take.piece.end_ticks <= take.ids.count(BAR) * 48 * n // d
        assert (take.piece.notes.duration_ticks > 0).all()
        loose = decode(take.ids).notes
        assert (take.piece.notes.onset_ticks == loose.onset_ticks).all()
        assert (take.piece.notes.duration_ticks <= loose.duration_ticks).all()


def test_the_same_seed_gives_the_same_bytes_alone_and_in_company(composer, takes):
    for seed in (0, 1, 77):
        request = takes[seed].plan.request
        assert composer.generate_batch([request])[0].midi == takes[seed].midi
    assert len({take.midi for take in takes}) == 200


def test_an_option_wins_over_the_text(composer):
    take = composer.generate(
        "a waltz for piano in C major at 100 bpm", instruments=["violin", "drums"], key="D minor", time_signature="4/4",
        tempo_bpm=61.5, bars=3, seed=1,
    )  # fmt: skip
    piece = parse_midi(take.midi)
    assert (piece.programs, piece.key) == ([40, DRUMS], "D minor")
    assert (int(piece.metre_numerator[0]), int(piece.metre_denominator[0])) == (4, 4)
    assert piece.tempo_bpm.tolist() == pytest.approx([61.5], abs=1e-3)
    assert (take.ids.count(BAR), take.features.n_bars) == (3, 3)
    assert [each for each in take.checks if not each.is_met] == []


def test_a_tempo_asked_for_in_figures_is_exact_though_the_events_are_coarse(composer):
    for bpm in (10, 28, 97, 400):
        assert composer.generate("music", tempo_bpm=bpm, bars=1).features.tempo_bpm == pytest.approx(bpm)


def test_the_style_is_the_nearest_and_its_similarity_the_cosine(composer, bundle):
    take = composer.generate("music", bars=1, max_tokens=64)
    vector = hashed_vectors(["music"])[0]
    assert take.plan.controls.style == int(vector[1] > vector[0])
    assert take.similarity == pytest.approx(max(vector[:2]), abs=1e-6)
    plain = Composer(Bundle(bundle.model, bundle.encoder, (), {}), hashed_vectors).generate("music", bars=1)
    assert (plain.plan.controls.style, plain.similarity) == (None, 0.0)


def test_the_context_is_the_limit_whatever_is_asked(composer):
    take = composer.generate("music", bars=200, max_tokens=10_000)
    assert len(take.ids) <= 256
    assert {each.name: each.is_met for each in take.checks} == {"bars": False}


def test_no_requests_no_takes(composer):
    assert composer.generate_batch([]) == []


@pytest.mark.parametrize(
    ("options", "field"), [({"bars": 0}, "bars"), ({"key": "H"}, "key"), ({"text": " "}, "text"), ({"moon": 1}, "moon")]
)
def test_a_request_that_cannot_be_is_refused_before_anything_is_drawn(composer, options, field):
    steps = []
    with pytest.raises(RequestError) as caught:
        composer.generate(**({"text": "music", "on_step": steps.append} | options))
    assert caught.value.args[0] == field
    assert steps == []


def test_saving_writes_the_midi_or_says_where_it_cannot(composer, tmp_path):
    take = composer.generate("music", bars=1)
    take.save(tmp_path / "new" / "take.mid")
    assert (tmp_path / "new" / "take.mid").read_bytes() == take.midi
    with pytest.raises(OutputError):
        take.save(tmp_path / "new" / "take.mid" / "deeper.mid")


def test_another_encoder_s_weights_are_refused(bundle, tmp_path):
    true = find_encoder(DEFAULT_ENCODER).fingerprint
    check_encoder(EncoderInfo(DEFAULT_ENCODER, true, 384))
    save_bundle(bundle, tmp_path / "model")
    with pytest.raises(EncoderError) as caught:
        Composer.from_pretrained(tmp_path / "model")
    assert str(caught.value) == (
        f"text encoder {DEFAULT_ENCODER}: its weights ({true[:12]}) are not those the model was trained with "
        "(000000000000); install the encoder that the model's encoder.json names."
    )


def test_an_encoder_that_is_not_there_is_refused(bundle, tmp_path):
    save_bundle(Bundle(bundle.model, EncoderInfo(str(tmp_path / "moon"), "0" * 64, TEXT_DIM), (), {}), tmp_path / "model")
    with pytest.raises(EncoderError, match="there is no such folder"):
        Composer.from_pretrained(tmp_path / "model")


def test_no_bundle_is_refused(tmp_path):
    with pytest.raises(BundleError, match="there is no such folder"):
        Composer.from_pretrained(tmp_path / "moon")


def test_a_composer_from_a_folder_composes_as_the_one_in_memory(composer, bundle, tmp_path, monkeypatch):
    class Stub:
        def __init__(self, name, device):
            self.encode = hashed_vectors

    info = EncoderInfo(DEFAULT_ENCODER, find_encoder(DEFAULT_ENCODER).fingerprint, TEXT_DIM)
    save_bundle(Bundle(bundle.model, info, STYLES, {}), tmp_path / "model")
    monkeypatch.setattr(composer_module, "TextEncoder", Stub)
    loaded = Composer.from_pretrained(tmp_path / "model")
    assert loaded.generate("a waltz", seed=3, bars=2).midi == composer.generate("a waltz", seed=3, bars=2).midi
