"""The command itself: its list, its help, its mistakes."""

import os
import pkgutil

import pytest
from django.conf import settings

from mickle.ops import database
from mickle.ops.catalogue import COMMANDS
from mickle.ops.main import main
from mickle.ops.management import commands


def test_every_command_is_listed_and_every_listed_one_exists():
    files = {module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__)}
    assert files == set(COMMANDS)


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["-h"]])
def test_help_lists_our_commands_only(capsys, words):
    assert main(words) == 0
    out = capsys.readouterr().out
    for name, sentence in COMMANDS.items():
        assert name in out
        assert sentence in out
    assert "makemigrations" not in out


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("form", ["after", "before"])
def test_each_command_has_help_with_an_example(capsys, name, form):
    assert main([name, "--help"] if form == "after" else ["help", name]) == 0
    out = capsys.readouterr().out
    assert COMMANDS[name].split()[0] in out
    assert f"Example:\n  mickle {name}" in out
    assert "--data DIR" in out
    assert "--verbosity" not in out


def test_version_is_said(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mickle 0.")


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["--data"],
        ["balance"],
        ["balance", "alice", "--yaml"],
        ["balance", "alice", "--data="],
        ["settle", "2026-13"],
        ["settle", "November"],
        ["top-up", "alice", "ten", "--reference", "x"],
        ["top-up", "alice", "5.001", "--reference", "x"],
        ["top-up", "alice", "-5.00", "--reference", "x"],
        ["top-up", "alice", "5.00"],
        ["balance", "z\udceb"],
        ["statement", "z\udceb", "2026-11"],
        ["top-up", "alice", "5.00", "--reference", "\udcdc"],
        ["thank", "--installed", "--member", "z\udceb"],
        ["run", "--port", "99999"],
        ["run", "--workers", "0"],
        ["clock", "--to", "tomorrow"],
        ["clock", "--to", "0001-01-01T00:00+12:00"],
        ["settle", "9999-12"],
        ["pay-out"],
        ["help", "fly"],
    ],
)
def test_misuse_is_one_sentence_and_exit_2(db, capsys, words):
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("mickle")


def test_data_may_stand_anywhere(db, capsys, monkeypatch):
    for words in (["--data", "/d", "balance", "x"], ["balance", "x", "--data=/d"]):
        monkeypatch.setenv("MICKLE_DATA", "/before")
        assert main(words) == 1
        assert os.environ["MICKLE_DATA"] == "/d"


def test_what_nobody_foresaw_is_a_sentence_and_a_log(db, capsys, monkeypatch):
    def broken():
        raise ZeroDivisionError("by\nnought")

    monkeypatch.setattr(database, "make_ready", broken)
    assert main(["balance", "alice"]) == 1
    said = capsys.readouterr().err
    log = settings.DATA_DIR / "mickle.log"
    assert said.count("\n") == 1
    assert "ZeroDivisionError: by nought" in said
    assert str(log) in said
    assert "Traceback" not in said
    assert "in broken" in log.read_text()


def test_stopping_is_said(db, capsys, monkeypatch):
    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr(database, "make_ready", stopped)
    assert main(["balance", "alice"]) == 1
    assert capsys.readouterr().err == "Stopped. What was not finished was not done.\n"


def test_data_of_a_later_version_is_left_alone(db, capsys, monkeypatch):
    known = database._on_disk()
    monkeypatch.setattr(database, "_on_disk", lambda: known - {("nods", "0001_initial")})
    assert main(["balance", "alice"]) == 1
    assert "later version of Mickle (nods.0001_initial)" in capsys.readouterr().err


def test_migrations_are_known_by_name_without_importing_them(db):
    known = database._on_disk()
    assert ("nods", "0001_initial") in known
    assert ("sessions", "0001_initial") in known
    assert not database._missing(known)
    assert database._missing(known | {("web", "0001_more")})


def test_a_migration_that_stopped_before_its_end_is_done_again(db, monkeypatch):
    known, asked = database._on_disk(), []

    def killed(*words, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as then:
        then.setattr(database, "_on_disk", lambda: known | {("web", "0001_more")})
        then.setattr(database, "call_command", killed)
        with pytest.raises(KeyboardInterrupt):
            database.make_ready()
    monkeypatch.setattr(database, "call_command", lambda *words, **_options: asked.append(words))
    database.make_ready()
    database.make_ready()
    assert asked == [("migrate",)]
