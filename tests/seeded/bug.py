"""What a planted bug is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    """Replace `old` by `new` in a file, and `caught_by` has to fail."""

    name: str
    file: str
    old: str
    new: str
    caught_by: str
    database: str = "sqlite"
