"""A disk that is really full, often: it is said, and nothing that was answered is lost."""

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests import databases
from tests.people import NOVEMBER

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SIZE, FILLS, KB = 48_000_000, 20, 1024
# PostgreSQL is some 40 MB before anything is in it, and takes a second to come back.
SIZE_OF_A_SERVER, FILLS_OF_A_SERVER = 120_000_000, 3
# As on any disk above 512 MB. With smaller ones a write to SQLite's index of its log, which is
# mapped into memory, can find no block on a full disk, and the system ends the process (SIGBUS).
BLOCK = "4096"
MEMBERS, GIVEN = 30, 5
FULL = "The disk is full. Nothing is lost; make room in"
AWAY = "The database cannot be reached. Nothing is lost"


def run(*words: str | Path) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@contextmanager
def mounted(image: Path, place: Path, size: int) -> Iterator[Path]:
    """A small file system of its own."""
    with image.open("wb") as file:
        file.truncate(size)
    place.mkdir()
    if not (
        run("mkfs.ext4", "-q", "-m", "0", "-b", BLOCK, image)
        and run("mount", "-o", "loop,barrier=0", image, place)
    ):
        pytest.skip("a disk that is full has to be mounted, and that takes root")
    yield place
    assert run("umount", place)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """For SQLite."""
    with mounted(tmp_path / "image", tmp_path / "disk", SIZE) as place:
        yield place


@pytest.fixture
def server(tmp_path: Path) -> Iterator[databases.Server]:
    """A PostgreSQL whose folder is on such a disk; its user may go there."""
    with tempfile.TemporaryDirectory(prefix="mickle-disk-") as folder:
        Path(folder).chmod(0o755)
        with mounted(tmp_path / "image", Path(folder) / "disk", SIZE_OF_A_SERVER) as place:
            found = databases.Server(within=place)
            found.start()
            yield found
            found.stop()


class Instance:
    """An instance on that disk, and what takes the room beside it."""

    def __init__(self, disk: Path, **settings: str) -> None:
        self.disk, self.ballast = disk, disk / "ballast"
        kept = {name: text for name, text in os.environ.items() if not name.startswith("MICKLE_")}
        kept.pop("DATABASE_URL", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.disk.filling"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=kept | {"MICKLE_DATA": str(disk / "data")} | settings,
        )
        assert self.process.stdout.readline() == "ready\n"

    def __call__(self, deed: str) -> str:
        self.process.stdin.write(f"{deed}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def fill(self, left_kb: int) -> None:
        """Leave so much room."""
        self.make_room()
        free = os.statvfs(self.disk)
        size = free.f_bavail * free.f_frsize - left_kb * KB
        with self.ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(size, KB))

    def make_room(self) -> None:
        self.ballast.unlink(missing_ok=True)

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def instance(disk: Path) -> Iterator[Instance]:
    found = Instance(disk)
    yield found
    found.stop()


def fill_its_log(server: databases.Server) -> None:
    """Write nothing but the log, until the server ends itself."""
    named = {"host": str(server.folder), "user": "test", "dbname": "postgres"}
    with suppress(psycopg.OperationalError), psycopg.connect(**named, autocommit=True) as there:
        while True:
            there.execute("SELECT pg_logical_emit_message(true, '', repeat('x', 1000000))")
    server.process.wait(timeout=120)


def fill_again_and_again(instance: Instance, times: int, come_back: Callable[[], None]) -> None:
    """Month after month on a disk that fills up."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    fills, month = 0, NOVEMBER
    while fills < times:
        assert instance(f"month {month}") == "done"
        left_kb = chance.randrange(100, 400)
        instance.fill(left_kb)
        while not (said := instance(f"settle {month}")).startswith("settled "):
            fills += 1
            assert said.startswith(FULL)
            come_back()
            assert instance(f"write full{fills}").startswith((FULL, "done"))
            come_back()
            assert instance("books").startswith("ok ")
            left_kb += chance.randrange(20, 200)
            instance.fill(left_kb)
        assert said == f"settled {MEMBERS * GIVEN}"
        instance.make_room()
        assert instance("books").startswith("ok ")
        month += 1


def test_what_was_answered_is_there_and_a_month_goes_on_when_there_is_room(instance):
    fill_again_and_again(instance, FILLS, lambda: None)


def test_a_postgresql_on_a_full_disk_comes_back_with_all_that_was_answered(server, tmp_path):
    disk = server.folder.parent
    instance = Instance(disk, DATABASE_URL=server.url, MICKLE_DATA=str(tmp_path))

    def come_back() -> None:
        # Without room for its log the server ends itself; whoever runs it makes room and starts it.
        if server.process.poll() is not None:
            instance.make_room()
            server.log.close()
            server.start()

    try:
        fill_again_and_again(instance, FILLS_OF_A_SERVER, come_back)
        assert instance("write before") == "done"
        instance.fill(60)
        fill_its_log(server)
        assert instance("write after").startswith(AWAY)
        come_back()
        assert instance("write after") == "done"
        assert instance("books").startswith("ok ")
    finally:
        instance.stop()
