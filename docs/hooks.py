"""Tables of the site that are made from the code; MkDocs calls this while it builds."""

import re
import tomllib
from pathlib import Path

from pipeline.i18n import languages
from pipeline.people.access import ALLOWED, Action, Role

ROOT = Path(__file__).resolve().parent.parent
IMAGES = Path(__file__).resolve().parent / "images"
ROLES, EXTRAS = "<!-- table of roles -->", "<!-- table of extras -->"
PICTURES = re.compile(r"<!-- pictures of (\w+) -->")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Fill in the tables that are made from the code."""
    if ROLES in markdown:
        markdown = markdown.replace(ROLES, roles_table())
    if EXTRAS in markdown:
        markdown = markdown.replace(EXTRAS, extras_table())
    return PICTURES.sub(lambda found: pictures(found[1]), markdown)


def roles_table() -> str:
    """Every action, and the roles that may take it."""
    lines = [f"| Action | {' | '.join(Role)} |", "|---|" + ":---:|" * len(Role)]
    for action in Action:
        marks = ("yes" if role in ALLOWED[action] else "-" for role in Role)
        lines.append(f"| {action} | {' | '.join(marks)} |")
    return "\n".join(lines)


def extras_table() -> str:
    """Every extra of the distribution, and the packages that it brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = [
        f"| `{name}` | {', '.join(f'`{package}`' for package in packages)} |"
        for name, packages in project["optional-dependencies"].items()
    ]
    return "\n".join(["| Extra | Packages |", "|---|---|", *rows])


def pictures(page: str) -> str:
    """A page of the dashboard in every language in which `make screenshots` has taken it; in the folder `reference`."""
    tabs = [
        f'=== "{title}"\n\n    ![{page}](../images/{page}-{code}.png)\n'
        for code, title in languages().items()
        if (IMAGES / f"{page}-{code}.png").is_file()
    ]
    return "\n".join(tabs)
