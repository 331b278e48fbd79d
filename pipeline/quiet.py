"""Other packages' progress bars, switched off: a command says itself how far it is."""


def without_progress_bars() -> None:
    """Of transformers, when it loads and saves weights. For who has it installed."""
    from transformers.utils import logging

    logging.disable_progress_bar()
