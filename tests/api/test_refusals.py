"""What the API refuses: always in JSON, with one code and one sentence, and nothing is done."""

import json
import logging

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client
from jsonschema import Draft202012Validator

from mickle.api import api
from mickle.closing import closing
from mickle.config._lines import Line
from mickle.instance import instance
from mickle.members import members
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.programs import programs, secret
from mickle.programs.models import Program
from mickle.things import things
from mickle.things.models import Thing
from tests.api.calling import ME, NODS, THINGS, Caller, error
from tests.api.conftest import DESCRIPTION
from tests.people import thing
from tests.web.browsing import signed_in

pytestmark = pytest.mark.django_db
URL = "https://blog.example/essay"
WISH = {"url": URL}
OTHER = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def nodded(reader) -> Thing:
    reader.nod(URL)
    return Thing.objects.get()


def unsafe(page: Thing) -> list[tuple[str, str]]:
    """Each way to change something, from the routes themselves."""
    return [
        (method, path.replace("{thing}", str(page.id)))
        for path, calls in api.ROUTES.items()
        for method in calls
        if method != "GET"
    ]


def test_no_unsafe_call_is_done_by_anything_but_a_token(alice, nodded):
    cookie = signed_in(alice).client
    csrf = cookie.get("/settings").cookies["__Host-mickle-csrf"].value
    ways = [
        Caller(),
        Caller(client=cookie),
        *(Caller("x"), Caller(secret.new()), Caller("mickle_")),
    ]
    before = set(Nod.objects.values_list("thing_id"))
    calls = unsafe(nodded)
    assert len(calls) == 2
    for method, path in calls:
        for one in ways:
            for headers in ({}, OTHER, {"X-CSRFToken": csrf}, {"Origin": "http://testserver"}):
                for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
                    answer = one.ask(method, path, {"url": URL + "2"}, kind=kind, **headers)
                    assert error(answer) == (401, "unauthorized"), (method, headers, kind)
                    assert answer["WWW-Authenticate"].startswith("Bearer")
    for scheme in ("Basic", "Token", "Bearer"):
        answer = Caller().ask("POST", NODS, WISH, Authorization=scheme)
        assert error(answer) == (401, "unauthorized")
    assert set(Nod.objects.values_list("thing_id")) == before


def test_a_token_of_another_site_is_as_good_and_no_cookie_is_asked_for(reader, nodded):
    asked = Caller().ask("OPTIONS", NODS, None, **OTHER)
    assert asked.status_code == 204
    assert "Authorization" in asked["Access-Control-Allow-Headers"]
    given = reader.ask("POST", NODS, {"url": URL + "2"}, **OTHER)
    assert given.status_code == 201
    for answer in (asked, given, Caller().ask("GET", ME)):
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer
        assert "no-store" in answer["Cache-Control"]
        assert not answer.cookies


def test_a_session_opens_no_call_that_reads(alice):
    browser = signed_in(alice).client
    for path in (ME, f"{THINGS}?url={URL}"):
        assert error(browser.get(path)) == (401, "unauthorized")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_only_json_is_read(reader, kind):
    assert error(reader.ask("POST", NODS, WISH, kind=kind)) == (415, "invalid_request")
    assert not Thing.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        *(
            ('{"url": ' + "9" * 9_999 + "}", 400),
            ("{", 400),
            ("[]", 400),
            ("null", 400),
            ('"x"', 400),
            ("\x00", 400),
        ),
        *((b"\xff\xfe\xff", 400), ("[" * 16_000, 400), ('{"url":"' + "a" * 2_000_000, 413)),
    ],
)
def test_what_is_no_json_object_is_refused(reader, body, status):
    assert error(reader.ask("POST", NODS, body)) == (status, "invalid_request")


@pytest.mark.parametrize(
    "url",
    [
        *(None, "", " ", 1, ["https://a.example/"], {"a": 1}, True),
        *("javascript:alert(1)", "data:text/html,x", "ftp://a.example/", "no address"),
        *("https://a.example/" + "a" * 3_000, "https://me:secret@a.example/"),
        *("https://bank.example@evil.example/", "https://", "\x00", "https://a.example/\ud800"),
    ],
)
def test_what_is_no_address_is_refused(reader, url):
    assert error(reader.nod(url)) == (400, "invalid_parameters")
    assert error(reader.ask("POST", NODS, {})) == (400, "invalid_parameters")
    if isinstance(url, str) and "\ud800" not in url:
        assert error(reader.look(url)) == (400, "invalid_parameters")
    assert not Thing.objects.exists()


def test_a_title_that_is_no_text_and_a_key_too_long_are_refused(reader):
    assert error(reader.nod(URL, title=["x"])) == (400, "invalid_parameters")
    answer = reader.ask("POST", NODS, WISH, **{"Idempotency-Key": "x" * 256})
    assert error(answer) == (400, "invalid_parameters")
    assert not Thing.objects.exists()


def test_ones_own_and_what_takes_no_nods_is_refused(reader, alice):
    refused, down = thing("refused"), thing("down")
    things.refuse(thing=refused, at=instance.now())
    things.take_down(thing=down, at=instance.now())
    assert error(reader.nod(thing("own", alice).url)) == (403, "thing_owner")
    for one in (refused, down):
        assert error(reader.nod(one.url)) == (403, "forbidden")
    assert not Nod.objects.exists()


def test_a_token_in_an_address_is_refused_wherever_it_stands(reader, nodded, caplog):
    with caplog.at_level(logging.DEBUG):
        for path in (
            *(f"{ME}?access_token={reader.token}", f"{ME}?token=x", f"{ME}?x={reader.token}"),
            *(f"{NODS}/{reader.token}", f"{NODS}?{reader.token}"),
            # However its letters are written.
            *(f"{ME}?x={reader.token.replace('_', '%5F')}", f"{ME}?%6D{reader.token[1:]}"),
        ):
            for method in ("GET", "POST"):
                answer = reader.ask(method, path, {"url": URL + "2"})
                assert error(answer) == (400, "invalid_request"), path
    assert Nod.objects.count() == 1
    # What is written of it by the settings' own line.
    lines = [Line("{message}", style="{").format(record) for record in caplog.records]
    assert any("mickle_***" in line for line in lines)
    assert not [line for line in lines if reader.token in line]


def test_the_settings_write_lines_without_tokens(settings: LazySettings):
    assert settings.LOGGING["formatters"]["line"]["()"] == f"{Line.__module__}.{Line.__name__}"


def test_a_token_that_was_taken_back_does_nothing(reader, alice, nodded):
    programs.revoke(member=alice, program_id=Program.objects.get().id)
    assert error(reader.nod(URL + "2")) == (401, "unauthorized")
    assert error(reader.ask("DELETE", f"{NODS}/{nodded.id}")) == (401, "unauthorized")
    assert Nod.objects.count() == 1


def test_who_is_suspended_or_leaving_nods_by_no_program(reader, alice, nodded):
    members.suspend(member=alice, at=instance.now())
    assert error(reader.nod(URL + "2")) == (403, "forbidden")
    members.suspend(member=alice, at=None)
    members.note_closing(member=alice, at=instance.now())
    assert error(reader.nod(URL + "2")) == (403, "forbidden")
    assert Nod.objects.count() == 1


def test_closing_the_account_takes_the_tokens_along(reader, alice):
    to = {"iban": "DE02120300000000202051", "holder_name": "Alice"}
    closing.close(member=alice, at=instance.now(), open_nods="settle", **to)
    assert not Program.objects.exists()
    assert error(reader.ask("GET", ME)) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        *(("GET", NODS, 405), ("DELETE", NODS, 405), ("PUT", NODS, 405), ("POST", ME, 405)),
        *(("GET", f"{NODS}/1", 405), ("POST", f"{NODS}/1", 405), ("DELETE", f"{NODS}/x", 404)),
        *(("DELETE", f"{NODS}/{'9' * 5_000}", 404), ("DELETE", f"{NODS}/{'9' * 18}", 404)),
        *(("GET", "/api", 404), ("GET", "/api/", 404), ("GET", "/api/v1/../me", 404)),
        *(("POST", "/api/v2/nods", 404), ("GET", f"{ME}/", 404), ("DELETE", f"{NODS}/٣", 404)),
    ],
)
def test_what_is_not_there_is_said_in_json(reader, method, path, expected):
    answer = reader.ask(method, path, WISH)
    code = {405: "method_not_allowed", 404: "not_found"}[expected]
    assert error(answer) == (expected, code)
    assert ("Allow" in answer) is (expected == 405)


def test_who_asks_too_often_is_told_how_long_to_wait(reader, settings: LazySettings):
    settings.API_REQUESTS_AN_HOUR = 30
    assert [reader.ask("GET", ME).status_code for _n in range(4)] == [200, 200, 200, 429]
    answer = reader.nod(URL)
    assert error(answer) == (429, "rate_limit_exceeded")
    assert 1 <= int(answer["Retry-After"]) <= 121
    assert not Thing.objects.exists()
    # The programs of a member share what one may ask; another's are not kept waiting.
    bob = members.join(email="bob@example.org", at=instance.now())
    alice = Program.objects.get().member
    second, his = (programs.make(member=one, name="2", at=instance.now()) for one in (alice, bob))
    assert Caller(second).ask("GET", ME).status_code == 429
    assert Caller(his).ask("GET", ME).status_code == 200


def test_our_own_faults_are_json_too_and_say_nothing(reader, monkeypatch, caplog):
    def breaks(error: Exception):
        def call(_asked):
            raise error

        monkeypatch.setitem(api.ROUTES[ME], "GET", call)

    breaks(RuntimeError("a secret detail"))
    answer = reader.ask("GET", ME)
    assert error(answer) == (500, "server_error")
    assert "secret detail" not in answer.content.decode()
    assert "secret detail" in caplog.text
    breaks(OperationalError("disk"))
    answer = reader.ask("GET", ME)
    assert error(answer) == (503, "server_error")
    assert answer["Retry-After"] == "5"


@pytest.mark.parametrize("error", [OperationalError("gone"), RuntimeError("wrong")])
def test_what_breaks_after_a_nod_does_not_say_that_nothing_was_done(reader, monkeypatch, error):
    def breaks(*_asked):
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(nods, "given_at", breaks)
        answer = reader.nod(URL)
    assert answer.status_code in (500, 503)
    assert Nod.objects.count() == 1
    assert "done already is not done twice" in answer.json()["error_description"]
    assert (reader.nod(URL).status_code, Nod.objects.count()) == (200, 1)


def test_what_django_itself_refuses_is_refused_in_json(reader):
    for path, host in ((ME, "evil.example"), (f"{ME}?{'a=&' * 2_000}", "testserver")):
        answer = reader.ask("GET", path, Host=host)
        assert error(answer) == (400, "invalid_request")


def test_each_route_is_described_and_nothing_else():
    assert json.loads(Client().get(api.DESCRIPTION).content) == DESCRIPTION
    described = {
        path: {method.upper() for method in calls} for path, calls in DESCRIPTION["paths"].items()
    }
    there = {path: set(calls) for path, calls in api.ROUTES.items()}
    assert described == there | {api.DESCRIPTION: {"GET"}}
    for schema in DESCRIPTION["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
