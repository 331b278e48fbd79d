"""What reading a zip raises where it is damaged, has a password, or is compressed as nothing here undoes it."""

import zipfile
import zlib

try:
    from lzma import LZMAError
except ImportError:  # a Python that was built without it, whose zipfile raises RuntimeError
    LZMAError = zlib.error  # type: ignore[misc, assignment]

ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, RuntimeError, ValueError)
