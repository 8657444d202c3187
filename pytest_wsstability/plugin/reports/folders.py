"""The folders in which a session leaves something behind."""

from __future__ import annotations

import errno
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
