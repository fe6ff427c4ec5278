"""A disk that is really full, twenty times: it is said, and nothing that was answered is lost."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.people import NOVEMBER

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SIZE, FILLS, KB = 48_000_000, 20, 1024
MEMBERS, GIVEN = 30, 5
FULL = "The disk is full. Nothing is lost; make room in"


def run(*words: str | Path) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    image, place = tmp_path / "image", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(SIZE)
    place.mkdir()
    if not (
        run("mkfs.ext4", "-q", "-m", "0", image)
        and run("mount", "-o", "loop,barrier=0", image, place)
    ):
        pytest.skip("a disk that is full has to be mounted, and that takes root")
    yield place
    assert run("umount", place)


class Instance:
    """An instance on that disk, and what takes the room beside it."""

    def __init__(self, disk: Path) -> None:
        self.disk, self.ballast = disk, disk / "ballast"
        kept = {name: text for name, text in os.environ.items() if not name.startswith("MICKLE_")}
        kept.pop("DATABASE_URL", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.disk.filling"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=kept | {"MICKLE_DATA": str(disk / "data")},
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


def test_what_was_answered_is_there_and_a_month_goes_on_when_there_is_room(instance):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    fills, month = 0, NOVEMBER
    while fills < FILLS:
        assert instance(f"month {month}") == "done"
        left_kb = chance.randrange(40)
        instance.fill(left_kb)
        while not (said := instance(f"settle {month}")).startswith("settled "):
            fills += 1
            assert said.startswith(FULL)
            assert instance(f"write full{fills}").startswith((FULL, "done"))
            assert instance("books").startswith("ok ")
            left_kb += chance.randrange(1, 40)
            instance.fill(left_kb)
        assert said == f"settled {MEMBERS * GIVEN}"
        instance.make_room()
        assert instance("books").startswith("ok ")
        month += 1
