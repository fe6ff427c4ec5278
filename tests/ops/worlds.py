"""Described worlds for the tests of the commands; months are counted back from now."""

import json
from datetime import UTC, datetime
from pathlib import Path

from mickle.lib import months
from mickle.ops.main import main

EXAMPLE = Path(__file__).parent / "world.json"
LATER = ("apps", "tokens", "codes")


def ago(count: int) -> str:
    """The month so many before this one."""
    return months.text(months.of(datetime.now(UTC)) - count)


def example() -> dict:
    """The contract by example, without what comes later, its months moved to the last ones."""
    world = json.loads(EXAMPLE.read_text())
    for name in LATER:
        del world[name]
    text = json.dumps(world).replace("2026-10", ago(1)).replace("2026-09", ago(2))
    return json.loads(text)


def small(**changes: list) -> dict:
    """Alice nodded last month at an essay of Bob's and at a page of nobody's."""
    return {
        "members": [
            {"username": "alice", "funds": "20.00", "budget": "5.00"},
            {"username": "bob", "funds": "2.00", "budget": "2.00"},
        ],
        "things": [
            {"id": 101, "url": "https://bob.example/essay", "title": "Essay", "owner": "bob"},
            {"id": 102, "url": "https://nobody.example/"},
        ],
        "nods": [
            {"member": "alice", "thing": 101, "month": ago(1)},
            {"member": "alice", "thing": 102, "month": ago(1)},
        ],
    } | changes


def written(folder: Path, world: object, name: str = "world.json") -> str:
    """The path of a file that holds the world; text is written as it is."""
    path = folder / name
    text = world if isinstance(world, str) else json.dumps(world, indent=1, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return str(path)


class Terminal:
    """Runs commands and keeps what they said."""

    def __init__(self, capsys) -> None:
        self.capsys = capsys
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        code = main(list(words))
        said = self.capsys.readouterr()
        self.out, self.err = said.out.strip(), said.err.strip()
        return code

    def json(self, *words: str):
        assert self(*words, "--json") == 0, self.err
        return json.loads(self.out)

    def refused(self, *words: str) -> str:
        """The one sentence of a command that was refused."""
        assert self(*words) == 1, self.out
        assert "\n" not in self.err
        assert "Traceback" not in self.err
        return self.err
