"""Presets that the people of an installation saved, a YAML file each, beside those that come with Pronlab.

<data root>/presets/wakeword/NAME.yaml    the settings that differ from the defaults, as in a preset of ours
"""

from pathlib import Path
from typing import Any

import yaml

from pipeline import artifacts, presets
from pipeline.errors import TrainingError, said_by
from pipeline.i18n import N_
from pipeline.settings import Settings
from pipeline.wakeword import config
from pipeline.wakeword.config import WakewordConfig
from pipeline.wakeword.file_names import LONGEST_NAME, named_file
from pipeline.wakeword.setting_groups import changed


def folder(settings: Settings) -> Path:
    return settings.data_root / "presets" / "wakeword"


def saved_presets(settings: Settings) -> list[str]:
    return presets.list_presets(folder(settings))


def load_preset(settings: Settings, name: str) -> dict[str, Any]:
    """The settings of a preset of Pronlab or of this installation. Raises TrainingError for an unknown one, and for
    settings that cannot be read."""
    if name in config.list_presets():
        return config.load_preset(name)
    known = saved_presets(settings)
    if name not in known:
        raise TrainingError(
            N_("Unknown preset {name!r}; known: {known}."),
            name=name, known=", ".join([*config.list_presets(), *known]),
        )  # fmt: skip
    try:
        return presets.load_preset(folder(settings), name, WakewordConfig)
    except (OSError, ValueError, AttributeError) as error:
        raise TrainingError(
            N_("The preset {name!r} cannot be read ({reason}). Delete it and save it again."),
            name=name,
            reason=said_by(error),
        ) from error


def save_preset(settings: Settings, name: str, chosen: WakewordConfig) -> str:
    """Keep the settings under a name, in place of those it had. Returns the name. Raises TrainingError for a name that
    cannot be one, or that is taken by a preset of Pronlab."""
    written = named_file(name, [*config.list_presets(), *saved_presets(settings)])
    if written is None:
        raise TrainingError(
            N_("{name!r} cannot be the name of a preset: letters, digits, blanks, - and _, at most {longest}."),
            name=name, longest=LONGEST_NAME,
        )  # fmt: skip
    if written in config.list_presets():
        raise TrainingError(N_("{name!r} is a preset of Pronlab. Choose another name."), name=written)
    text = yaml.safe_dump(changed(chosen), sort_keys=True, allow_unicode=True)
    artifacts.write_text(folder(settings) / f"{written}.yaml", text)
    return written


def delete_preset(settings: Settings, name: str) -> None:
    """Raises TrainingError for one that is not there or is Pronlab's."""
    if name not in saved_presets(settings):
        raise TrainingError(N_("There is no saved preset {name!r}."), name=name)
    (folder(settings) / f"{name}.yaml").unlink(missing_ok=True)
