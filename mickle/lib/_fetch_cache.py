"""What was answered, kept in files of a folder, so that all processes of a machine share it."""

import json
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from mickle.lib._fetch_said import REASONS, Failed, Unreachable, failure

DAY_S = 86_400
HOUR_S = 3_600
FILES = 5_000
FILES_BYTES = 200 << 20
_PRUNE_EVERY = 64
_REFUSED = 400


class Answer(NamedTuple):
    """What one address answered: a text, a `location` to go on to, or the code of a failure."""

    at: float
    status: int = 0
    type: str = ""
    text: str = ""
    links: str = ""
    location: str = ""
    cut: bool = False
    code: str = ""
    facts: Mapping[str, str] = MappingProxyType({})

    @property
    def keep_s(self) -> int:
        """For how long nobody asks again."""
        if self.code:
            return REASONS[self.code].keep_s
        return DAY_S if self.status < _REFUSED else HOUR_S

    @property
    def is_silence(self) -> bool:
        """Whether nobody answered, so that nothing is known anew."""
        return bool(self.code) and issubclass(REASONS[self.code].kind, Unreachable)

    @property
    def fetched_at(self) -> datetime:
        """When it was answered."""
        return datetime.fromtimestamp(self.at, UTC)

    def or_raise(self) -> "Answer":
        """The answer itself; raises the failure where it is one."""
        if self.code:
            raise failure(self.code, **self.facts)
        return self


def failed(error: Failed, at: datetime) -> Answer:
    """A failure as an answer that can be kept."""
    return Answer(at.timestamp(), code=error.code, facts=error.facts)


class Cache:
    """Answers by address; the oldest go when there are too many.

    That nobody answered is kept beside what was answered before, which holds on as long as it
    would have.
    """

    def __init__(self, folder: Path, *, files: int = FILES, files_bytes: int = FILES_BYTES) -> None:
        self._folder, self._files, self._bytes = folder, files, files_bytes
        self._kept = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def find(self, url: str, *, at: datetime, fresh_after: datetime | None) -> Answer | None:
        """The answer that still holds, and is not older than asked for."""
        for path in (self._path(url), self._path(url, silent=True)):
            found = _stored(path, url)
            if found is None or (fresh_after is not None and found.fetched_at < fresh_after):
                continue
            if at - found.fetched_at < timedelta(seconds=found.keep_s):
                return found
        return None

    def keep(self, url: str, answer: Answer) -> None:
        """Put it in the place of an older one; a reader sees one of them whole."""
        path = self._path(url, silent=answer.is_silence)
        data = zlib.compress(
            json.dumps({url: answer._asdict() | {"facts": dict(answer.facts)}}).encode(), 1
        )
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="new-", delete=False) as file:
            try:
                file.write(data)
                file.flush()
                Path(file.name).replace(path)
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
        self._kept += 1

    @property
    def is_due(self) -> bool:
        """Whether enough was kept since the last look at how much there is."""
        return self._kept % _PRUNE_EVERY == 1

    def prune(self) -> None:
        """Remove the oldest until the rest is few and small enough."""
        found = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                facts = path.stat()
                found.append((facts.st_mtime_ns, facts.st_size, path))
        count, size = 0, 0
        for _at, length, path in sorted(found, reverse=True):
            count, size = count + 1, size + length
            if count > self._files or size > self._bytes:
                path.unlink(missing_ok=True)

    def _path(self, url: str, *, silent: bool = False) -> Path:
        return self._folder / (sha256(url.encode()).hexdigest() + ("-silent" if silent else ""))


def _stored(path: Path, url: str) -> Answer | None:
    try:
        found = Answer(**json.loads(zlib.decompress(path.read_bytes()))[url])
    except (OSError, zlib.error, ValueError, KeyError, TypeError):
        # Not there, or half of it after the disk was full: ask anew.
        return None
    return None if found.code and found.code not in REASONS else found
