"""Numbers in tables: as the reader's language writes them, on every page."""

import io
import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components import tables
from pipeline.settings import CHECKOUT

OWN_FORMATS = re.compile(r"\.dataframe\(|st\.table\(|NumberColumn\(")
ROWS = [{"Text": "ev", "n": 1234, "Mean": 71.256, "α": None}, {"Text": "su", "n": 2, "Mean": 5.0, "α": 0.5}]


def drawn(rows: list[dict[str, Any]], language: str = "en", **options: Any) -> Any:
    """The table as a page draws it."""

    def page(rows: list[object], language: str, options: dict[str, object]) -> None:
        from dashboard.components.tables import data_table
        from pipeline.i18n import speaking

        with speaking(language):
            data_table(rows, **options)  # type: ignore[arg-type]

    (table,) = AppTest.from_function(page, args=(rows, language, options)).run().dataframe
    return table


def cells(table: Any) -> list[list[str]]:
    """What the table shows, by row."""
    import pyarrow as pa

    shown = pa.ipc.open_stream(io.BytesIO(table.proto.arrow_data.styler.display_values)).read_pandas()
    return [list(row) for row in shown.itertuples(index=False)]


def test_numbers_are_written_in_the_readers_language_and_missing_ones_are_blank() -> None:
    written = cells(drawn(ROWS, "tr", decimals={"Mean": 2}))
    assert written == [["ev", "1.234", "71,26", ""], ["su", "2", "5,00", "0,5"]]
    written = cells(drawn(ROWS, decimals={"Mean": 2}))
    assert written == [["ev", "1,234", "71.26", ""], ["su", "2", "5.00", "0.5"]]


def test_written_numbers_sort_as_numbers() -> None:
    assert drawn([{"Score": 98.5}, {"Score": 100.0}], "tr").value["Score"].tolist() == [98.5, 100.0]


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([70.0, 80.0], ["70", "80"]),
        ([70.5, 80.0], ["70.5", "80.0"]),
        ([1 / 3, 80.0], ["0.33", "80.00"]),
        ([None, 3], ["", "3"]),
    ],
)
def test_a_column_has_as_many_decimals_as_its_values_need(values: list[Any], written: list[str]) -> None:
    assert [row[0] for row in cells(drawn([{"Score": value} for value in values]))] == written


def test_marked_rows_are_shaded_and_their_numbers_written() -> None:
    table = drawn(ROWS, "tr", decimals={"Mean": 1}, marked=[1])
    assert tables.SHADE in table.proto.arrow_data.styler.styles
    assert cells(table)[0] == ["ev", "1.234", "71,3", ""]


def test_a_very_large_table_has_the_browsers_numbers() -> None:
    table = drawn([{"Score": 1 / 3}] * (tables.MOST_WRITTEN + 1), decimals={"Score": 1})
    assert '"localized"' in table.proto.columns
    assert table.value["Score"][0] == 0.3
    assert not table.proto.arrow_data.HasField("styler")


def test_every_table_is_drawn_by_the_shared_component() -> None:
    """Streamlit's own formats have a decimal point in every language."""
    files = (CHECKOUT / "dashboard").rglob("*.py")
    assert [file.name for file in files if OWN_FORMATS.search(file.read_text(encoding="utf-8"))] == ["tables.py"]
