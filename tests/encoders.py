"""Encoders that are small enough for tests."""

from pathlib import Path

from transformers import BertConfig, BertModel, BertTokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "slow", "jazz", "piano"]


def save_plain_bert(folder: Path) -> Path:
    """Save a random BERT of 16 numbers and 64 positions as plain transformers does: without sentence-transformers' files."""
    folder.mkdir(exist_ok=True)
    (folder / "words.txt").write_text("\n".join(WORDS))
    BertTokenizer(str(folder / "words.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder
