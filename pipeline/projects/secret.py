"""What draws at which turns known answers and repeats come, and in which order: a secret of each project, drawn once.

From settings and names alone, which experts know or guess, they could be computed. It lies in a file of its own in the
project's folder, so that nothing that shows a project's settings shows it.
"""

from secrets import token_hex

from pipeline import artifacts
from pipeline.errors import ProjectError, said_by
from pipeline.i18n import N_
from pipeline.locks import locked
from pipeline.projects.project import folder_of
from pipeline.settings import Settings

FILE = "secret.json"


def secret_of(settings: Settings, project: str) -> str:
    """Drawn on first use. Raises ProjectError where it cannot be read or written."""
    file = folder_of(settings, project) / FILE
    try:
        if not file.is_file():
            with locked(settings, file, ProjectError):
                if not file.is_file():
                    artifacts.write_json(file, {"secret": token_hex(16)})
        return str(artifacts.read_json(file)["secret"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProjectError(
            N_("{file} cannot be read or written ({reason}). Check its permissions, or remove it."),
            file=str(file), reason=said_by(error),
        ) from error  # fmt: skip
