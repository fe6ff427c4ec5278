"""Folders on this machine, or in an object store where their address says so (s3://bucket/path).

Stores are read and written by fsspec and what it needs for each, of the extra that names it.
"""

import logging
import os
import shutil
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from mickle.lib.errors import NeedsAPerson

log = logging.getLogger(__name__)


class NoStore(NeedsAPerson):
    """Nothing that is installed reads an object store of this kind."""


def is_remote(folder: str) -> bool:
    """Whether it is in an object store."""
    return "://" in folder


def store(folder: str) -> Any:
    """The file system of fsspec that an address belongs to; raises NoStore."""
    kind = urlsplit(folder).scheme
    try:
        return import_module("fsspec").filesystem(kind)
    except (ImportError, ValueError) as error:
        raise NoStore(
            _(
                "Nothing that is installed reads %(kind)s:// (%(why)s), and nothing was changed. "
                "Install the part of fsspec for it, for s3:// with: pip install s3fs"
            )
            % {"kind": kind, "why": error}
        ) from error


def opened(path: str, mode: str) -> Any:
    """A file of such a folder, open for bytes."""
    return store(path).open(path, mode) if is_remote(path) else Path(path).open(mode)


def keep(folder: str) -> None:
    """See that what is in a folder outlasts a power cut; an object store sees to that by itself."""
    if is_remote(folder):
        return
    here = Path(folder)
    for path in here.iterdir():
        _sync(path)
    for path in (here, here.parent):
        # Not every share of a network knows how to; then it is for its server to see to.
        with suppress(OSError):
            _sync(path)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def remove(folder: str) -> None:
    """Remove a folder with all that is in it; one that is not there is no error."""
    if not is_remote(folder):
        shutil.rmtree(folder, ignore_errors=True)
    elif (there := store(folder)).exists(folder):
        there.rm(folder, recursive=True)


def discard(folder: str) -> None:
    """Remove a folder nobody refers to; where that fails it is said, and stops nobody."""
    try:
        remove(folder)
    except Exception as error:  # noqa: BLE001 - an object store raises what it likes
        log.warning("%s cannot be removed: %s", folder, type(error).__name__)
