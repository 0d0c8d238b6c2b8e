import os
import shutil
import time
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from encoders import save_plain_bert
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.artifacts import Workspace
from amt_ray.cli.main import main
from amt_ray.config import PrepareSettings
from amt_ray.errors import EncoderError
from amt_ray.pipelines import embed
from amt_ray.pipelines.embed import Embed, distinct_texts, make_embeddings
from amt_ray.pipelines.progress import silent
from amt_ray.schemas import CAPTIONS, EMBEDDINGS
from amt_ray.text.embed import TOLERANCE, TextEncoder, find_encoder

TEXTS = ["slow", "jazz piano", "slow slow jazz", "", "jazz " * 100, "slow jazz piano piano", "piano"]


@pytest.fixture
def threads():
    """Puts torch's threads and the tokenizer's back to what they were; two of torch while the test runs."""
    import torch

    before = torch.get_num_threads(), os.environ["TOKENIZERS_PARALLELISM"]
    torch.set_num_threads(2)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    yield torch.get_num_threads
    torch.set_num_threads(before[0])
    os.environ["TOKENIZERS_PARALLELISM"] = before[1]


def captions_of(texts):
    """A table of captions; the piece's id is the number of the text."""
    return pa.Table.from_pylist([{"piece_id": str(i), "kind": "k", "text": t} for i, t in enumerate(texts)], CAPTIONS)


def written(place, texts):
    """Captions as an artefact of a version that these texts have for themselves."""
    return place.write("captions", captions_of(texts), "-".join(str(len(text)) for text in texts), {}, {})


def numbers(rows):
    return {int(row["piece_id"]): np.array(row["vector"], np.float32) for row in rows.to_pylist()}


@given(st.lists(st.text("aé曲🎵", max_size=3)), st.randoms())
def test_each_text_stands_once_for_all_its_captions_whatever_their_order(texts, rng):
    rows = [{"piece_id": str(i), "kind": f"k{i}", "text": text} for i, text in enumerate(texts)]
    rng.shuffle(rows)
    distinct = distinct_texts(pa.Table.from_pylist(rows, CAPTIONS))
    by_length = sorted(set(texts), key=lambda text: (-len(text.encode()), text.encode()))
    assert distinct["text"].to_pylist() == by_length
    stood_for = [(r["text"], *pair) for r in distinct.to_pylist() for pair in zip(r["piece_id"], r["kind"], strict=True)]
    assert Counter(stood_for) == Counter((row["text"], row["piece_id"], row["kind"]) for row in rows)


def test_an_actor_gives_a_row_for_each_caption_and_computes_in_one_thread(plain_bert, threads):
    texts = [*TEXTS, "jazz piano", "slow"]
    actor = Embed(find_encoder(str(plain_bert)), "cpu", 2)
    rows = actor(distinct_texts(captions_of(texts)))
    assert (threads(), os.environ["TOKENIZERS_PARALLELISM"]) == (1, "false")
    assert rows.schema == EMBEDDINGS
    vectors = numbers(rows)
    alone = TextEncoder(str(plain_bert)).encode(texts)
    np.testing.assert_allclose([vectors[i] for i in range(len(texts))], alone, atol=TOLERANCE)
    assert vectors[7].tobytes() == vectors[1].tobytes()


def test_a_node_with_another_encoder_is_an_error(plain_bert, tmp_path):
    folder = shutil.copytree(plain_bert, tmp_path / "bert")
    source = find_encoder(str(folder))
    assert source.fingerprint == find_encoder(str(plain_bert)).fingerprint
    save_plain_bert(folder)
    with pytest.raises(EncoderError, match=f"{source.fingerprint[:12]} on another; install the same encoder on all nodes"):
        Embed(source, "cpu", 2)(distinct_texts(captions_of(["slow"])))


@pytest.mark.parametrize(("option", "value"), [("--batch-size", "0"), ("--batch-size", "4097"), ("--device", "tpu")])
def test_an_option_out_of_its_range_is_refused_by_name(option, value, tmp_path, capsys):
    assert main(["prepare", str(tmp_path), option, value]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert option in line
    assert value in line


def test_several_actors_embed_every_caption_by_its_text(ray_local, plain_bert, tmp_path, monkeypatch):
    monkeypatch.setattr(embed, "TEXTS_PER_BLOCK", {"cpu": 2})
    monkeypatch.setattr(embed, "TEXTS_PER_ACTOR", 4)
    place, source, seen = Workspace(str(tmp_path / "w")), find_encoder(str(plain_bert)), []
    settings = PrepareSettings(encoder=str(plain_bert), device="cpu", batch_size=3)
    texts = [*TEXTS, *TEXTS]
    captions = written(place, texts)
    made = make_embeddings(place, captions, settings, source, lambda *report: seen.append(report))
    assert made.facts == {"encoder": str(plain_bert), "fingerprint": source.fingerprint, "dim": 16, "texts": len(TEXTS)}
    assert seen[-1] == ("texts embedded", len(TEXTS), len(TEXTS))
    assert made.n_rows == len(texts)
    vectors = numbers(place.table("embeddings"))
    alone = TextEncoder(str(plain_bert)).encode(texts)
    np.testing.assert_allclose([vectors[i] for i in range(len(texts))], alone, atol=TOLERANCE)
    assert make_embeddings(place, captions, settings, source, silent) == made


@pytest.mark.usefixtures("ray_local", "no_collector")
def test_an_encoder_that_cannot_be_loaded_is_one_sentence_and_gives_the_cpus_back(plain_bert, tmp_path, capfd):
    import ray

    broken = shutil.copytree(plain_bert, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"no weights")
    place = Workspace(str(tmp_path / "w"))
    settings = PrepareSettings(encoder=str(broken), device="cpu")
    with pytest.raises(EncoderError) as caught:
        make_embeddings(place, written(place, TEXTS), settings, find_encoder(str(broken)), silent)
    assert type(caught.value) is EncoderError
    assert str(caught.value).startswith(f"text encoder {broken}: it cannot be loaded on cpu (")
    assert str(caught.value).count("\n") == 0
    assert place.manifest("embeddings") is None
    assert "Traceback" not in capfd.readouterr().err
    ends_s = time.monotonic() + 10
    while (free := ray.available_resources()["CPU"]) < ray.cluster_resources()["CPU"] and time.monotonic() < ends_s:
        time.sleep(0.1)
    assert free == ray.cluster_resources()["CPU"]
