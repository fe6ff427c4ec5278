"""What programs are made from: the description and the reference say what the server does."""

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.api.calling import NODS, THINGS, error
from tests.api.conftest import DESCRIPTION
from tests.people import thing

pytestmark = pytest.mark.django_db
REFERENCE = Path(__file__).parents[2] / "docs/reference/api.md"
RESPONSES = DESCRIPTION["components"]["responses"]


def test_the_reference_and_the_description_know_the_same_refusals():
    row = re.compile(r"^\| ([0-9, ]+) \| `([a-z_]+)` \|", re.MULTILINE)
    rows = row.findall(REFERENCE.read_text("utf-8"))
    said = {(status, code) for each, code in rows for status in each.split(", ")}
    described = {
        (status, code)
        for calls in DESCRIPTION["paths"].values()
        for call in calls.values()
        for status, one in call["responses"].items()
        if "$ref" in one
        for code in codes(one["$ref"].rpartition("/")[2])
    }
    # No call is described that is asked by a method it has not.
    assert described | {("405", "method_not_allowed")} == said


def codes(response: str) -> list[str]:
    """What a described refusal may have for `error`."""
    _error, more = RESPONSES[response]["content"]["application/json"]["schema"]["allOf"]
    found: list[str] = more["properties"]["error"]["enum"]
    return found


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        *((url, False) for url in ("", " ", "0", "no address", "ftp://a.example/", "https://")),
        *(("https://a.example/" + "a" * 1_983, False), ("https://a.example/" + "a" * 1_982, True)),
        *(("HTTP://blog.example/é", True), ("https://blog.example", True)),
    ],
)
def test_an_address_is_described_as_the_server_takes_it(reader, url, fits):
    posted = DESCRIPTION["components"]["schemas"]["Wish"]["properties"]["url"]
    (asked,) = DESCRIPTION["paths"][THINGS]["get"]["parameters"]
    for schema in (posted, asked["schema"]):
        assert Draft202012Validator(schema).is_valid(url) is fits
    for answer in (reader.nod(url), reader.look(url)):
        assert answer.status_code < 300 if fits else error(answer) == (400, "invalid_parameters")


@pytest.mark.parametrize("month", ["2026-11", "8999-12", "0999-12", "9999-12", "2026-13", ""])
def test_a_month_is_described_as_the_server_takes_it(reader, month):
    _thing, named = DESCRIPTION["paths"][f"{NODS}/{{thing}}"]["delete"]["parameters"]
    page = thing("page")
    fits = Draft202012Validator(named["schema"]).is_valid(month)
    answer = reader.ask("DELETE", f"{NODS}/{page.id}?month={month}")
    assert fits is (answer.status_code != 400)
