"""The entry of `mickle`: finds the data, runs one command, says errors in a sentence."""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata

import django
from django.apps import apps
from django.core.management import load_command_class

from mickle.ops import database, failures, terminal
from mickle.ops.catalogue import BEGIN, COMMANDS, OFFLINE

USAGE = 2

_HELP = """\
Usage: mickle COMMAND [ARGUMENTS] [--data DIR]

{commands}

--data DIR says where the instance keeps its data (or MICKLE_DATA; without it a folder of yours).
DATABASE_URL names a PostgreSQL instead of the SQLite in that folder.
mickle COMMAND --help tells more of a command, with an example."""


class Usage(Exception):
    """The command line cannot be read; the sentence says why."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns 0 when done, 1 when refused or failed, 2 when misused."""
    terminal.take()
    code = 0
    try:
        code = _do(list(sys.argv[1:] if argv is None else argv))
        with terminal.told():
            sys.stdout.flush()
    except terminal.Enough:
        terminal.leave()
    except terminal.Untold as untold:
        print(untold, file=sys.stderr)
        terminal.leave()
        return 1
    return code


def _do(given: list[str]) -> int:
    try:
        words, folder = _split_data(given)
        name = _command(words)
    except Usage as usage:
        print(usage, file=sys.stderr)
        return USAGE
    if not name:
        return 0
    if folder:
        os.environ["MICKLE_DATA"] = folder
        # What is typed goes before whatever the environment says.
        os.environ.pop("MICKLE_DATA_FILE", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mickle.config.settings")
    return _run(name, words[1:])


def _split_data(argv: list[str]) -> tuple[list[str], str]:
    """The words without `--data DIR`, which may stand before or after the command, and DIR."""
    words, folder, rest = [], "", iter(argv)
    for word in rest:
        if word == "--data":
            folder = next(rest, "")
        elif word.startswith("--data="):
            folder = word.removeprefix("--data=")
        else:
            words.append(word)
            continue
        if not folder:
            raise Usage("mickle: --data needs the name of a folder.")
    return words, folder


def _command(words: list[str]) -> str:
    """The command that is meant; empty when help or the version was asked for and printed."""
    first = words[0] if words else "--help"
    if first == "help" and len(words) > 1:
        words[:] = [words[1], "--help"]
        first = words[0]
    if first in ("help", "--help", "-h"):
        width = max(map(len, COMMANDS))
        lines = (f"  {name:<{width}}  {sentence}" for name, sentence in COMMANDS.items())
        _print(_HELP.format(commands="\n".join(lines)))
        return ""
    if first == "--version":
        _print(f"mickle {metadata.version('mickle')}")
        return ""
    if first not in COMMANDS:
        raise Usage(f"mickle: there is no command “{first}”; mickle --help lists them.")
    return first


def _print(text: str) -> None:
    with terminal.told():
        print(text)


def _run(name: str, arguments: list[str]) -> int:
    offline = name in OFFLINE
    try:
        if not offline:
            django.setup()
        command = load_command_class("mickle.ops", name.replace("-", "_"))
        parser = command.create_parser("mickle", name)
        # Help is written while it is read.
        with terminal.told():
            options = vars(parser.parse_args(arguments))
        if not offline and database.make_ready() and name not in BEGIN:
            print(database.said_new(), file=sys.stderr)
        command.execute(**options)
    except (terminal.Enough, terminal.Untold):
        raise
    except SystemExit as done:
        # argparse leaves this way: 0 after --help, 2 after a usage it could not read.
        return int(done.code or 0)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last one to hear of it
        print(_say(name)(error), file=sys.stderr)
        return 1
    return 0


def _say(name: str) -> Callable[[BaseException], str]:
    if name in OFFLINE:
        return failures.bare
    return failures.sentence if apps.ready else failures.early
