"""`mickle identify`: a line for each address, and no instance for any."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ops.worlds import Terminal

VIDEO = "https://youtu.be/dQw4w9WgXcQ"


@pytest.fixture
def mickle(capsys) -> Terminal:
    return Terminal(capsys)


def test_each_address_is_answered_with_its_rule_on_a_line(mickle):
    assert mickle("identify", VIDEO, "https://www.blog.example/a?utm_source=x") == 0
    assert mickle.out.splitlines() == [
        "v1:youtube.com/watch?v=dQw4w9WgXcQ  (youtube)",
        "v1:blog.example/a  (general)",
    ]


def test_what_is_no_address_is_said_and_stops_no_other(mickle):
    assert mickle("identify", "blog.example", VIDEO, "ftp://a.example/") == 1
    assert mickle.out == "v1:youtube.com/watch?v=dQw4w9WgXcQ  (youtube)"
    first, second = mickle.err.splitlines()
    assert first == "blog.example: This is not a whole address. Begin with https://."
    assert second.startswith("ftp://a.example/: Only addresses that begin with")


@pytest.mark.parametrize("words", [[], ["-"]])
def test_lines_of_the_standard_input_are_addresses(mickle, monkeypatch, words):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{VIDEO}\n\n  https://blog.example/ \n"))

    assert mickle("identify", *words) == 0
    assert [line.partition(" ")[0] for line in mickle.out.splitlines()] == [
        "v1:youtube.com/watch?v=dQw4w9WgXcQ",
        "v1:blog.example/",
    ]


def test_a_program_gets_a_line_of_json_for_each(mickle):
    assert mickle("identify", "https://github.com/Alice/Tool", "nothing", "--json") == 1
    found, refused = map(json.loads, mickle.out.splitlines())
    assert found == {
        "url": "https://github.com/Alice/Tool",
        "identity": "v1:github.com/alice/tool",
        "rule": "github",
        "opens": "https://github.com/alice/tool",
        "host": "github.com",
        "maker": {"site": "github", "name": "alice"},
    }
    assert set(refused) == {"url", "refused"}
    assert mickle.err == ""


def test_a_terminal_is_told_no_more_than_letters(mickle):
    assert mickle("identify", "\x1b[31mred", "x" * 3_000) == 1
    assert "\x1b" not in mickle.err
    assert all(len(line) < 200 for line in mickle.err.splitlines())


def test_it_needs_no_instance_and_leaves_no_trace(tmp_path: Path):
    lines = f"{VIDEO}\nhttps://blog.example/\udcff\nhttps://blog.example/\n"
    code = "import sys; from mickle.ops.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "identify"],
        input=lines.encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path), "MICKLE_FEE": "no"},
    )

    assert (done.returncode, len(done.stdout.splitlines())) == (1, 2), done.stderr
    assert b"not a web address" in done.stderr
    assert list(tmp_path.iterdir()) == []
