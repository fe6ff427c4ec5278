"""Folders on this machine, or in an object store where their address says so (s3://bucket/path).

Stores are read and written by fsspec and what it needs for each, of the extra that names it.
"""

import shutil
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def is_remote(folder: str) -> bool:
    """Whether it is in an object store."""
    return "://" in folder


def store(folder: str) -> Any:
    """The file system of fsspec that an address belongs to."""
    return import_module("fsspec").filesystem(urlsplit(folder).scheme)


def opened(path: str, mode: str) -> Any:
    """A file of such a folder, open for bytes."""
    return store(path).open(path, mode) if is_remote(path) else Path(path).open(mode)


def remove(folder: str) -> None:
    """Remove a folder with all that is in it; one that is not there is no error."""
    if not is_remote(folder):
        shutil.rmtree(folder, ignore_errors=True)
    elif (there := store(folder)).exists(folder):
        there.rm(folder, recursive=True)
