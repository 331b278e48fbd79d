"""docs/promises.md names tests that exist."""

import ast
import re

from pipeline.settings import CHECKOUT

PAGE = CHECKOUT / "docs" / "promises.md"
NAMED = re.compile(r"`tests/((?:\w+/)?test_\w+\.py)(?:::(test_\w+))?`")


def test_every_promise_names_tests_that_exist() -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").split("\n") if line.startswith("| ") and "Held by" not in line
    ]
    assert len(rows) > 20
    for row in rows:
        named = NAMED.findall(row)
        assert named, f"no test holds: {row}"
        for file, test in named:
            (path,) = (CHECKOUT / "tests").rglob(file)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert not test or test in names, f"{file} has no {test}"
