"""The conditional GPT-2 and the bundle in which a trained one is kept."""
