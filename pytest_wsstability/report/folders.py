"""The places in which a session or a command leaves something behind: whether they can be written."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def make_folder(folder: Path) -> None:
    """
    Make a folder and those above it; one that is there already stays as it is.

    Raises:
        OSError: if it cannot be made; where a file stands in its place, or above it, that is named.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as exc:
        # "File exists" is what the system says of both, and of a link that leads nowhere.
        file = next((each for each in (folder, *folder.parents) if each.is_file()), None)
        if file is None:
            raise
        raise NotADirectoryError(errno.ENOTDIR, f"{file.name!r} is a file, and no directory") from exc


def closed_folder(folder: Path) -> str | None:
    """Why nothing can be written in a folder, once it is made; None if something can."""
    try:
        make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        return f"cannot be written: {exc.strerror}"
    return None


def unwritable(path: Path) -> str | None:
    """Why a file cannot be written, once its folder is made; None if it can."""
    if path.is_dir():
        return "is a directory; give a file"
    # Whoever may make a file beside it may write it; the one of the last run stays until then.
    reason = closed_folder(path.parent)
    if reason is None and path.exists() and not os.access(path, os.W_OK):
        return "cannot be written: Permission denied"
    return reason
