"""The dispatcher in front of both halves."""

import asyncio
import json

import pytest

from mickle.config import asgi


class Pages:
    """Stands for Django: keeps what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict, bytes]] = []

    async def __call__(self, scope, receive, send):
        message = await receive()
        self.seen.append((scope, message["body"]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def house():
    dispatcher = asgi.Dispatcher()
    executor = dispatcher.pages.executor
    dispatcher.pages = Pages()
    yield dispatcher
    executor.shutdown()
    dispatcher.edge.close()


def ask(house, *bodies: bytes, **scope: object) -> tuple[int, bytes]:
    begun, ended = messages(house, *bodies, **scope)
    return begun["status"], ended["body"]


def messages(house, *bodies: bytes, **scope: object) -> list[dict]:
    sent: list[dict] = []
    parts = list(bodies or (b"",))

    async def receive():
        if not parts:
            await asyncio.sleep(60)
        body = parts.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(parts) or body == b"slow"}

    async def send(message):
        sent.append(message)

    asked = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [],
        **scope,
    }
    asyncio.run(house(asked, receive, send))
    return sent


def test_pages_are_told_how_long_a_body_is_that_came_in_pieces(house):
    pieces = [(b"transfer-encoding", b"chunked"), (b"content-type", b"application/json")]
    assert ask(house, b'{"a": ', b"1}", path="/api/v1/nods", headers=pieces)[0] == 204
    [(scope, body)] = house.pages.seen
    assert body == b'{"a": 1}'
    assert scope["headers"] == [(b"content-type", b"application/json"), (b"content-length", b"8")]


@pytest.mark.parametrize(
    ("languages", "german"),
    [([], False), ([b"de-AT,en;q=0.5"], True), ([b"en;q=0.1", b"de"], True)],
)
def test_a_program_is_refused_by_code_and_sentence_in_its_language(
    monkeypatch, house, languages, german
):
    monkeypatch.setattr(asgi, "BODY_TIME_S", 0)
    house.button_host = b"buttons.example"
    asked = [(b"accept-language", one) for one in languages]
    long, away = (b"content-length", b"9" * 9), (b"host", house.button_host)
    for bodies, headers, status, code, english, deutsch in (
        ([b"x"], [long], 413, "invalid_request", "more than 16384 bytes", "mehr als 16384 Byte"),
        ([b"slow"], [], 408, "invalid_request", "too long to", "zu lange"),
        ([b""], [away], 404, "not_found", "Only buttons", "nur Knöpfe"),
    ):
        begun, ended = messages(house, *bodies, path="/api/v1/nods", headers=headers + asked)
        found, answered = json.loads(ended["body"]), dict(begun["headers"])
        assert (begun["status"], found["error"]) == (status, code)
        assert (deutsch if german else english) in found["error_description"]
        assert answered[b"access-control-allow-origin"] == b"*"
        assert answered[b"x-content-type-options"] == b"nosniff"
        assert answered[b"content-length"] == str(len(ended["body"])).encode()


def test_pages_get_the_whole_body(house):
    assert ask(house, b"a=1", b"&b=2")[0] == 204
    assert house.pages.seen[0][1] == b"a=1&b=2"


@pytest.mark.parametrize("announced", [b"100001", b"9" * 30])
def test_a_body_announced_too_long_is_refused_unread(house, announced):
    status, body = ask(house, b"slow", headers=[(b"content-length", announced)])
    assert status == 413
    assert json.loads(body)["error"].startswith("This is more than 100 kB")
    assert house.pages.seen == []


def test_a_body_that_grows_too_long_is_refused(house):
    assert ask(house, *[b"x" * 40_000] * 3)[0] == 413


def test_a_body_that_never_ends_holds_no_thread(house, monkeypatch):
    monkeypatch.setattr(asgi, "BODY_TIME_S", 0.05)
    assert ask(house, b"slow")[0] == 408
    assert house.pages.seen == []


def test_what_is_refused_has_the_headers_of_all_answers(house):
    too_long = [(b"content-length", b"9" * 9)]
    for path, any_page in (("/settings", None), ("/api/v1/nods", b"*")):
        begun, _ended = messages(house, b"x", path=path, headers=too_long)
        found = dict(begun["headers"])
        assert begun["status"] == 413
        assert b"no-store" in found[b"cache-control"]
        assert found[b"x-content-type-options"] == b"nosniff"
        assert b"default-src 'none'" in found[b"content-security-policy"]
        # A program in a page of another origin reads why.
        assert found.get(b"access-control-allow-origin") == any_page


def test_headers_that_would_pass_for_others_are_dropped(house):
    headers = [(b"x_forwarded_proto", b"https"), (b"x-forwarded-proto", b"http"), (b"host", b"h")]
    ask(house, headers=headers)
    assert house.pages.seen[0][0]["headers"] == headers[1:]


@pytest.mark.parametrize(
    "more",
    [
        *(b"; charset=hex", b';Charset="undefined"', b"; charset*0=he; charset*1=x"),
        *(b"; a*=none''x", b";\xa0charset=idna", b"; x=1; charset=utf-16"),
    ],
)
def test_all_is_read_as_utf_8_whatever_the_sender_calls_it(more):
    house = asgi.Dispatcher()
    scope = {"scheme": "http", "http_version": "1.1", "server": ("localhost", 80)}
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json" + more)]
    at = {"method": "GET", "path": "/api/v1/openapi.json", "query_string": b"token=%C3%A4"}
    begun, said = messages(house, **scope, **at, headers=headers)[:2]
    house.pages.executor.shutdown()
    house.edge.close()
    assert (begun["status"], json.loads(said["body"])["error"]) == (400, "invalid_request")


def test_a_form_in_parts_is_still_told_where_they_end(house):
    kind = b"multipart/form-data; charset=hex; boundary=x; b"
    ask(house, headers=[(b"content-type", kind)])
    assert house.pages.seen[0][0]["headers"] == [
        (b"content-type", b"multipart/form-data; boundary=x; b")
    ]


def test_a_query_beyond_ascii_is_percent_encoded(house):
    ask(house, query_string="q=schön&a=b%20c".encode())
    assert house.pages.seen[0][0]["query_string"] == b"q=sch%C3%B6n&a=b%20c"


def test_the_edge_answers_its_own_addresses(house):
    assert ask(house, method="GET", path="/b/count")[0] == 400
    assert house.pages.seen == []


def test_the_host_of_buttons_has_no_pages(settings):
    settings.BUTTON_ORIGIN = "https://button.example"
    settings.BASE_URL = "https://nod.example"
    dispatcher = asgi.Dispatcher()
    executor, dispatcher.pages = dispatcher.pages.executor, Pages()
    at = {"headers": [(b"host", b"Button.example")], "client": None, "scheme": "https"}
    assert ask(dispatcher, **at, method="GET", path="/sign-in")[0] == 404
    assert ask(dispatcher, **at, method="GET", path="/b/count")[0] == 400
    status, body = ask(dispatcher, **at, method="GET", path="/api/v1/me")
    assert (status, json.loads(body)["error"]) == (404, "not_found")
    assert dispatcher.pages.seen == []
    assert ask(dispatcher, path="/", headers=[(b"host", b"nod.example")])[0] == 204
    executor.shutdown()
    dispatcher.edge.close()


def test_nobody_speaks_through_a_websocket(house):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(house({"type": "websocket", "path": "/"}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1000}]


def test_starting_and_ending_are_answered():
    house = asgi.Dispatcher()
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message["type"])

    asyncio.run(house({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(RuntimeError):
        house.pages.executor.submit(print)
