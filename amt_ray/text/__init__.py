"""What a text says about music: labels, analysis, captions, embeddings."""
