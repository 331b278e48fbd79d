"""What people write for a number, a moment, and yes or no."""

import pytest

from pipeline.cells import CellError, flag, is_month_first, moment, number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80", 80),
        ("80,5", 80.5),
        (" 80.5 ", 80.5),
        ("-3", -3),
        ("\u22123", -3),
        (",5", 0.5),
        ("1e2", 100),
        ("80\u200b", 80),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    "text", ["", "much", "1.234,5", "1,234.5", "80 5", "8/10", "85%", "nan", "inf", "1_0", "٨", "0x10"]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(CellError, match="is not a number"):
        number(text)


@pytest.mark.parametrize("value", [True, 1, 1.0, "true", "TRUE", " Yes ", "1", "evet", "EVET", "Doğru"])
def test_yes(value: object) -> None:
    assert flag(value) is True


@pytest.mark.parametrize(
    "value",
    [False, 0, 0.0, "false", "False", "FALSE", "no", "0", "hayır", "HAYIR", "Hayir", "yanlış", "YANLIŞ", " no "],
)
def test_no(value: object) -> None:
    assert flag(value) is False


@pytest.mark.parametrize("value", ["maybe", 2, "", [], {}, None])
def test_neither_yes_nor_no(value: object) -> None:
    with pytest.raises(CellError, match="neither yes nor no"):
        flag(value)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("01.05.2024", "2024-05-01T00:00:00"), ("1.5.2024", "2024-05-01T00:00:00"),
        ("01/05/2024", "2024-05-01T00:00:00"),
        ("01.05.2024 13:45", "2024-05-01T13:45:00"), ("01-05-2024, 13:45:09", "2024-05-01T13:45:09"),
        ("2024/05/01 13.45", "2024-05-01T13:45:00"), ("2024-05-01", "2024-05-01T00:00:00"),
        ("1/5/2024 1:05 PM", "2024-05-01T13:05:00"), ("1/5/2024 12:05 am", "2024-05-01T00:05:00"),
        ("2024-05-01T13:45:00+03:00", "2024-05-01T10:45:00"), ("2024-05-01T13:45:00Z", "2024-05-01T13:45:00"),
    ],
)  # fmt: skip
def test_moments_have_the_day_first(text: str, iso: str) -> None:
    assert moment(text) == f"{iso}.000+00:00"


@pytest.mark.parametrize(
    "text", ["yesterday", "31.02.2024", "13.13.2024", "1.5.24", "45413", "01.05.2024 25:00", "9999-01-01"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(CellError, match="is not a date"):
        moment(text)


def test_the_month_is_first_where_a_date_shows_it() -> None:
    assert is_month_first(["05/01/2024", "05/13/2024"]) is True
    assert is_month_first(["05/01/2024", "13/05/2024"]) is False
    assert is_month_first(["05/01/2024"]) is None
    assert is_month_first(["05/13/2024", "13/05/2024"]) is None, "the file contradicts itself"
    assert moment("05/13/2024", month_first=True) == "2024-05-13T00:00:00.000+00:00"
    assert moment("05.01.2024", month_first=True)[:10] == "2024-01-05", "with points the day is first"
