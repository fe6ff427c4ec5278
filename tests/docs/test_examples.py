"""What stands in code on the pages can be typed, and answers what the page says."""

import asyncio
import json
import re
import shlex
from pathlib import Path

import pytest
from django.core.management import load_command_class

from mickle.edge.edge import Edge
from mickle.nods.models import Nod
from mickle.ops import loading, world
from mickle.ops.catalogue import COMMANDS
from tests.docs.test_pages import NAMES, PAGES, ROOT
from tests.docs.test_reference import page, settings_read

_BLOCKS = re.compile(
    r"^```[a-z]*\n(?P<fenced>.*?)^```|^ {4,}(?P<line>\S[^\n]*)$", re.MULTILINE | re.DOTALL
)
_CURL = re.compile(
    r"^    \$ curl 'http://127\.0\.0\.1:8000(/b/count\?[^']+)'\n    (\{.*\})$", re.MULTILINE
)


def code(path: Path) -> list[str]:
    """The lines of code on a page."""
    found = _BLOCKS.finditer(path.read_text(encoding="utf-8"))
    return [line for part in found for line in (part["fenced"] or part["line"]).splitlines()]


def typed(path: Path) -> list[list[str]]:
    """The words of each `mickle ...` on a page, without settings in front of it."""
    lines = [
        re.sub(r"^(?:export )?(?:\w+=\S+ )*(?:\.venv/bin/|/opt/mickle/bin/|ExecStart=\S*/)?", "", x)
        for x in code(path)
    ]
    return [shlex.split(line, comments=True) for line in lines if re.match(r"mickle [a-z]", line)]


def test_commands_are_found_on_the_pages():
    assert sum(len(typed(path)) for path in PAGES) > 15


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_command_on_a_page_can_be_typed(path):
    for _mickle, name, *words in typed(path):
        assert name in COMMANDS, f"there is no mickle {name}"
        command = load_command_class("mickle.ops", name.replace("-", "_"))
        # Leaves by SystemExit, and so fails, where a word is not known.
        command.create_parser("mickle", name).parse_args(words)


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_option_named_in_a_sentence_is_one_of_its_command(path):
    text = path.read_text(encoding="utf-8")
    for name, rest in re.findall(r"`mickle ([a-z][a-z-]*)([^`]*)`", text):
        command = load_command_class("mickle.ops", name.replace("-", "_"))
        known = command.create_parser("mickle", name)._option_string_actions
        assert set(re.findall(r"--[a-z-]+", rest)) <= set(known)


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_target_of_make_and_every_setting_on_a_page_is_there(path):
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for line in code(path) for word in re.findall(r"^make ([a-z-]+)", line)}
    named |= set(re.findall(r"`make ([a-z-]+)", text))
    assert named <= targets
    settings = set(re.findall(r"\bMICKLE_[A-Z_]+", text)) - {"MICKLE_X", "MICKLE_X_FILE"}
    assert {name.removesuffix("_FILE") for name in settings} <= settings_read()


async def _ask(path: str, query: str) -> bytes:
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def receive() -> dict:
        return {"type": "http.request", "body": b""}

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [],
    }
    edge = Edge()
    await edge(scope, receive, send)
    edge.close()
    return sent[1]["body"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["README.md", "docs/reference/edge.md"])
def test_the_count_answers_what_the_page_says(name):
    [(address, answer)] = _CURL.findall((ROOT / name).read_text(encoding="utf-8"))
    path, _mark, query = address.partition("?")
    assert asyncio.run(_ask(path, query)).decode() == answer


@pytest.mark.django_db
def test_the_example_of_a_world_can_be_loaded():
    text = re.findall(r"^```json\n(.*?)^```", page("world"), re.MULTILINE | re.DOTALL)[0]
    done = loading.load(world.parse(text))
    given = json.loads(text)
    assert (done.members, done.things, done.nods) == tuple(
        len(given[name]) for name in ("members", "things", "nods")
    )
    assert Nod.objects.count() == done.nods
