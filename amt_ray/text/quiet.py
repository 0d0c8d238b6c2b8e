"""Silence for the model libraries, which draw bars and print warnings on a user's terminal while they load."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_LOGGERS = ("sentence_transformers", "transformers", "huggingface_hub", "accelerate")


@contextmanager
def quiet() -> Iterator[None]:
    """Silence bars, warnings and log lines below "error" of Hugging Face's libraries, and then restore them."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from transformers.utils import logging as transformers_logging

    with ExitStack() as restore, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in map(logging.getLogger, _LOGGERS):
            restore.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        if not are_progress_bars_disabled():
            restore.callback(enable_progress_bars)
            disable_progress_bars()
        if transformers_logging.is_progress_bar_enabled():
            restore.callback(transformers_logging.enable_progress_bar)
            transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        yield
