"""The visitor's time zone: days and hours are theirs, wherever the dashboard runs."""

from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def visitors_zone() -> tzinfo | None:
    """As the browser tells it; None, which stands for this machine's, where it does not."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ZoneInfoNotFoundError, ValueError):
        return None


def local(moment: datetime) -> datetime:
    return moment.astimezone(visitors_zone())


def today() -> date:
    return datetime.now(visitors_zone()).date()
