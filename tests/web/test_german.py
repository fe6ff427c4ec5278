"""The German catalogue: whole, compiled, and with the same places to fill in."""

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.test import Client
from django.utils.translation.template import templatize

import mickle
from mickle.web.views.catalogue import category_names
from tests.people import instance_at

ROOT = Path(mickle.__file__).parent
PLACES = ROOT / "web/locale/de/LC_MESSAGES"
# What only a terminal or another program reads is in English.
SPOKEN = [path for path in ROOT.iterdir() if path.name not in {"ops", "edge"}]


_NAMES = {"_", "gettext", "gettext_lazy", "ngettext"}
_CALLS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def pairs(found: Catalog) -> dict[object, object]:
    return {_flat(message.id): _flat(message.string) for message in found if message.id}


def _flat(text: object) -> object:
    return text if isinstance(text, str) else tuple(text)


def catalogue() -> Catalog:
    with (PLACES / "django.po").open("rb") as file:
        return read_po(file, locale="de")


def in_code() -> Iterator[str]:
    for folder in SPOKEN:
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                if named and node.func.id in _NAMES and node.args:
                    yield ast.literal_eval(node.args[0])


def in_templates() -> Iterator[str]:
    for path in (ROOT / "web/templates").rglob("*.*"):
        code = io.BytesIO(templatize(path.read_text()).encode())
        for _line, text, _comments, _context in extract("python", code, _CALLS):
            yield text[0] if isinstance(text, tuple) else text


def test_every_sentence_of_pages_is_in_german() -> None:
    known = catalogue()
    missing = {text for text in (*in_code(), *in_templates()) if text and text not in known}
    assert not missing


def test_no_sentence_is_empty_or_in_doubt_and_its_places_are_the_same() -> None:
    for message in catalogue():
        if not message.id:
            continue
        assert message.string, message.id
        assert not message.fuzzy, message.id
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for text in strings:
            places = re.findall(r"%\(\w+\)s|\{\w+\}", text)
            assert set(places) == set(re.findall(r"%\(\w+\)s|\{\w+\}", ids[-1])), text


def test_a_thing_has_one_name_and_its_own_grammar() -> None:
    """The catalogue is "Verzeichnis", a month "abgeschlossen"; "Danke" and "Millionstel" neuter."""
    wrong = r"Katalog|[Aa]bgerechnet|(den|einen) (letzten )?Millionstel|\b([Dd]eine|Diese) Danke\b"
    written = [
        one
        for _id, said in pairs(catalogue()).items()
        for one in ([said] if isinstance(said, str) else said)
    ]
    assert [text for text in written if re.search(wrong, text)] == []


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with (PLACES / "django.mo").open("rb") as file:
        compiled = read_mo(file)
    assert pairs(compiled) == pairs(catalogue())


@pytest.mark.django_db
def test_a_browser_that_asks_for_german_gets_it() -> None:
    instance_at(kind="DEMO")
    page = Client().get("/catalogue", headers={"Accept-Language": "de-AT,de;q=0.9"})
    text = page.content.decode()
    assert '<html lang="de" dir="ltr">' in text
    assert "Vorführung mit Spielgeld." in text
    assert "Software" in category_names().values()
