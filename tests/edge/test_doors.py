"""What stands before a nod: the exchange of a code, the probe, and limits for who asks."""

import json
from datetime import UTC, datetime

from mickle.edge.edge import Policy
from mickle.passes import passes
from tests import people
from tests.edge.passed import SITE, page
from tests.edge.street import Street


def test_a_code_becomes_a_partitioned_cookie_for_c_alone(now_street, alice):
    code = passes.grant(member=alice, site=SITE, nonce="n", at=datetime.now(UTC))
    (answer,) = now_street.run(now_street.post("/c/exchange", {"code": code, "nonce": "n"}))
    assert answer.json == {"site": SITE}
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Secure-nod-")
    assert {"Path=/c", "Secure", "HttpOnly", "SameSite=None", "Partitioned"} <= set(flags)
    (given,) = now_street.run(now_street.post("/c/nod", {"id": page().id}, cookie=name))
    assert given.status == 200
    (again,) = now_street.run(now_street.post("/c/exchange", {"code": code, "nonce": "n"}))
    assert (again.status, again.json["reason"]) == (400, "bad")
    assert "set-cookie" not in again.headers
    # The code came twice, so what it made is worth nothing any more.
    (after,) = now_street.run(now_street.post("/c/nod", {"id": page(2).id}, cookie=name))
    assert after.status == 401


def test_a_browser_without_partitioned_cookies_keeps_a_token(now_street, alice):
    code = passes.grant(member=alice, site=SITE, nonce="n", at=datetime.now(UTC))
    ask = {"code": code, "nonce": "n", "keep": "token"}
    (answer,) = now_street.run(now_street.post("/c/exchange", ask))
    assert "set-cookie" not in answer.headers
    body = {"id": page().id, "pass": answer.json["token"]}
    (given,) = now_street.run(now_street.post("/c/nod", body))
    assert given.status == 200


def test_a_probe_says_what_the_browser_keeps(now_street):
    (first,) = now_street.run(now_street.post("/c/probe", {}))
    name, *flags = first.headers["set-cookie"].split("; ")
    assert first.json == {"kept": False}
    assert {"Partitioned", "Path=/c"} <= set(flags)
    (second,) = now_street.run(now_street.post("/c/probe", {}, cookie=name))
    assert second.json == {"kept": True}
    assert "Max-Age=0" in second.headers["set-cookie"]


def test_a_body_that_never_ends_is_not_waited_for(now_street, monkeypatch):
    monkeypatch.setattr("mickle.edge._posting.BODY_TIME_S", 0.05)

    async def slow() -> None:
        sent = []

        async def receive():
            await now_street.loop.create_future()

        async def send(message):
            sent.append(message)

        headers = {"host": "localhost:8000", "origin": "http://localhost:8000"}
        headers["content-type"] = "application/json"
        scope = {
            "type": "http",
            "scheme": "http",
            "client": None,
            "method": "POST",
            "path": "/c/nod",
            "query_string": b"",
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        }
        await now_street.edge(scope, receive, send)
        assert sent[0]["status"] == 400
        assert "too long" in json.loads(sent[1]["body"])["error"]

    now_street.run(slow())


def test_an_address_that_asks_too_often_is_told_to_wait(transactional_db):
    people.instance_at()
    street = Street(Policy(requests_a_second=1, burst=3, proxies=("127.0.0.1",)))
    asked = [street.get("/b/count", "id=1", x_forwarded_for="10.0.0.1") for _n in range(5)]
    other = street.get("/b/count", "id=1", x_forwarded_for="10.0.0.2")
    forged = street.get("/b/count", "id=1", x_forwarded_for="10.9.9.9, 10.0.0.1")
    street.close()
    assert [a.status for a in asked] == [200, 200, 200, 429, 429]
    assert int(asked[-1].headers["retry-after"]) >= 1
    assert (other.status, forged.status) == (200, 429)


def test_whoever_clicks_too_often_is_told_to_wait_and_hung_up_on(transactional_db):
    people.instance_at()
    street = Street(Policy(requests_a_second=1, burst=2))
    answers = street.run(*(street.post("/c/nod", {"id": 1}) for _one in range(3)))
    street.close()
    assert [(one.status, one.json["reason"]) for one in answers][1:] == [
        (401, "no-pass"),
        (429, "limit"),
    ]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert answers[-1].headers["connection"] == "close"
