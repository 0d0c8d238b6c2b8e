"""Windows, batches and the training loop; nothing here knows of Ray."""
