"""How much a person may send from a browser. How large one file may be is Streamlit's setting (`maxUploadSize`)."""

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """Of one upload, archives unpacked; `days_kept` is how long one stays that nobody goes on with. `ratio` is how many
    times its own size an archive of over `small_bytes` may unpack to."""

    n_files: int = 20_000
    file_bytes: int = 100 * MIB
    total_bytes: int = 8_192 * MIB
    ratio: int = 200
    small_bytes: int = 64 * MIB
    directory_bytes: int = 8 * MIB
    depth: int = 12
    name_bytes: int = 200
    days_kept: int = 14
    free_bytes: int = 512 * MIB  # what has to stay free on the disk


LIMITS = Limits()
