from types import SimpleNamespace

from amt_ray.model.card import model_card

CONFIG = SimpleNamespace(n_layer=4, n_embd=128, n_head=4, n_positions=1028, prefix_tokens=4)
TRAINING = {
    "fingerprint": "abc-1", "preset": "tiny", "pieces": 1480, "windows": 2, "events": 3, "amt_ray": "0.1.0", "commit": "d1",
    "licences": {"CC0": 1470, "unknown": 10}, "settings": {"learning_rate": 0.003, "seed": 0},
    "metrics": {"step": 6000, "loss": 1.25, "validation_loss": 1.5, "batches": 7},
}  # fmt: skip


def test_a_card_says_what_the_model_is_and_what_it_was_made_of():
    card = model_card(CONFIG, 1_188_096, "bert", ["choir, Bach"], TRAINING)
    assert card.startswith("---\nlibrary_name: amt_ray\n")
    for line in (
        "GPT-2 with 4 layers of width 128 and 4 heads, 1,188,096 parameters, conditioned on texts through `bert`. "
        "One sequence holds up to 1,024 events of amt_ray's 512.",
        "| Pieces | 1,480 |",
        "| Licences | CC0 (1,470 pieces), unknown (10 pieces) |",
        "| Steps | 6,000 |",
        "| Validation loss, nats per event of unseen music | 1.5000 |",
        "| learning_rate | 0.003 |",
        "| Commit | d1 |",
        "- choir, Bach",
    ):
        assert line in card.splitlines(), line
    assert "batches" not in card


def test_what_is_not_known_is_left_out():
    card = model_card(CONFIG, 1, "bert", [], {})
    assert [line for line in card.splitlines() if line.startswith("#")] == ["# A text-to-MIDI model made with amt_ray"]
