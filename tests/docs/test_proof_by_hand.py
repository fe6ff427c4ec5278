"""What the reference says of a proof is enough: its own lines agree with `mickle verify`."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_reference import page
from tests.lib.test_proofs import as_bytes, made

[CODE] = re.findall(r"^```python\n(.*?)^```", page("proof"), re.MULTILINE | re.DOTALL)


def run(file: dict[str, object], folder: Path) -> subprocess.CompletedProcess[str]:
    """The lines of the page, alone."""
    path = folder / "own.json"
    path.write_bytes(as_bytes(file))
    command = [sys.executable, "-I", "-c", CODE, str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_they_are_twenty_lines_at_most():
    assert len([line for line in CODE.splitlines() if line]) <= 20


@pytest.mark.parametrize(("members", "place"), [(1, 0), (2, 1), (3, 2), (7, 4), (7, 6), (65, 64)])
def test_they_come_to_the_root(tmp_path, members, place):
    file = made(members, place)
    done = run(file, tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, file["root"]), done.stderr


@pytest.mark.parametrize("name", ["shares", "salt", "place", "path", "text", "root"])
def test_they_stop_at_whatever_was_changed(tmp_path, name):
    file = made()
    others = made()
    changed = others[name] if name not in ("shares", "salt", "place") else None
    text = json.dumps(file[name])
    changed = changed or json.loads(text.replace("1", "2").replace("4", "3").replace("a", "b"))
    assert changed != file[name]
    assert run(file | {name: changed}, tmp_path).returncode == 1


@pytest.mark.parametrize("place", [-1, -4, 3.5, 4, "3"])
def test_one_leaf_has_one_place(tmp_path, place):
    """Two members who are shown one leaf see it by the place: no other may come to the root."""
    assert run(made(4, 3), tmp_path).returncode == 0
    assert run(made(4, 3) | {"place": place}, tmp_path).returncode == 1
