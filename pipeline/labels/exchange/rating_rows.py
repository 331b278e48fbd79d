"""Rows of ratings as other programs give them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One rating as it was read: `place` says where it stood, `problem` what is wrong with it already. `unscaled` names
    the values whose scale the file does not say (stars), `left_out` what stood beside the rating and is no part of
    one."""

    place: str
    values: dict[str, Any]
    problem: str = ""
    unscaled: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
