"""What a page says where the packages of its trainings are not installed."""

import streamlit as st

from pipeline.i18n import _
from pipeline.optional import is_there


def say_missing(extra: str, packages: tuple[str, ...]) -> None:
    """Name the command that installs them, where one of `packages` cannot be imported; nothing else."""
    missing = [name for name in packages if not is_there(name)]
    if missing:
        st.info(
            _(
                "Not installed, and needed for training: {packages}. Run `make train-deps` (or `pip install "
                "'pronlab[{extra}]'`), then start the dashboard again."
            ).format(packages=", ".join(missing), extra=extra),
            icon=":material/download:",
        )
