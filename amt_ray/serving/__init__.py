"""Music over HTTP: a FastAPI application, and the Ray Serve deployment that runs it around a model."""
