"""A command does and says the same whatever its outputs are: closed, full, of few letters."""

import json
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from mickle.ledger import ledger
from mickle.members import members
from mickle.ops.main import main
from mickle.ops.parsing import Command
from tests.migrated import begin_with_tables
from tests.ops.test_run import MICKLE, environment
from tests.people import EUR

PAGE = "https://bob.example/"


def within(data: Path, shell: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command with its outputs as the shell has them, which answers word by word."""
    return subprocess.run(
        ["/bin/sh", "-c", f'"$@" {shell}', "sh", *MICKLE, *words],
        env=environment(data) | {"PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [["clock"], ["identify", PAGE], ["--help"]])
def test_an_output_that_is_closed_is_no_failure(tmp_path, words):
    begin_with_tables(tmp_path)
    done = within(tmp_path, ">&-", *words)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_input_has_no_lines(tmp_path):
    done = within(tmp_path, "<&-", "identify")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("words", [["clock"], ["identify", PAGE], ["--help"], ["--version"]])
def test_an_answer_that_cannot_be_written_is_a_sentence(tmp_path, words):
    begin_with_tables(tmp_path)
    done = within(tmp_path, ">/dev/full", *words)
    assert done.returncode == 1
    assert done.stderr == (
        "The answer cannot be written (No space left on device). What was done stays done and "
        "nothing is lost; run it again with another place for the answer.\n"
    )


@pytest.mark.parametrize("words", [["--help"], ["help", "settle"]])
def test_whoever_has_read_enough_of_the_help_is_told_no_failure(tmp_path, words):
    begin_with_tables(tmp_path)
    done = within(tmp_path, "| true", *words)
    assert done.stderr == ""


class Spoken:
    """An output that knows only some letters."""

    def __init__(self, monkeypatch, encoding: str) -> None:
        self._bytes = BytesIO()
        monkeypatch.setattr(sys, "stdout", TextIOWrapper(self._bytes, encoding=encoding))

    @property
    def text(self) -> str:
        sys.stdout.flush()
        return self._bytes.getvalue().decode("ascii")


def test_what_was_done_is_said_in_the_letters_there_are(loaded, monkeypatch):
    spoken = Spoken(monkeypatch, "ascii")
    words = ["top-up", "alice", "1.00", "--reference", "Überweisung"]
    assert main(words) == 0
    assert main(words) == 0
    assert r"\u201c\xdcberweisung (alice)\u201d was booked" in spoken.text
    assert ledger.balance(ledger.funds(members.find("alice").id)) == EUR("21.00")


def test_an_answer_for_a_program_is_json_in_any_letters(monkeypatch):
    spoken = Spoken(monkeypatch, "iso-8859-15")
    Command().say_json({"name": "Zoë"})
    assert json.loads(spoken.text) == {"name": "Zoë"}
