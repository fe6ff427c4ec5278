"""One click: nods by a site pass, written together, on the database under test."""

from datetime import UTC, datetime, timedelta

import pytest

from mickle.edge import _database, _posting, _queue
from mickle.edge.edge import Policy
from mickle.lib import months
from mickle.nods import evidence, nods
from mickle.nods.models import Count, Nod
from mickle.passes import passes
from mickle.passes.models import SitePass
from mickle.teams import teams
from mickle.teams.models import Agreement
from mickle.things import things
from mickle.things.models import Thing
from tests import people
from tests.edge.passed import MONTH, NOW, SITE, page, passed
from tests.edge.street import Street
from tests.teams.teaming import a_team, holding_from

pytestmark = pytest.mark.usefixtures("either_way")


def test_a_pass_nods_and_the_answer_comes_when_it_is_written(now_street, alice):
    token, one = passed(alice), page()
    told = {"trusted": True, "visible": True, "dwell_ms": 1_250}
    (answer,) = now_street.run(
        now_street.post(
            "/c/nod",
            {"url": one.url, "key": "k1", "evidence": told},
            cookie=f"__Secure-nod-1={token}",
        )
    )
    assert answer.status == 200
    month = months.text(MONTH)
    expected = {"nodded": True, "new": True, "month": month, "id": one.id, "count": 1}
    assert answer.json == expected
    nod = Nod.objects.get()
    assert (nod.member_id, nod.thing_id, nod.source) == (alice.id, one.id, "button")
    assert evidence.read(nod.evidence) == evidence.Evidence(True, True, 1_200)
    assert nods.wrong_counts() == []
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


def test_of_many_sites_under_one_domain_each_has_its_pass(now_street, alice):
    sites = [f"s{number}.news.example" for number in range(_posting.PASSES_AT_MOST + 2)]
    kept = []
    for site in sites:
        # A code is good for two minutes, and this file was read before.
        code = passes.grant(member=alice, site=site, nonce="n", at=datetime.now(UTC))
        asked = now_street.post("/c/exchange", {"code": code, "nonce": "n"})
        kept.append(now_street.run(asked)[0].headers["set-cookie"].partition(";")[0])
    # A frame's cookies are those of the domain the page is under, whichever site it is.
    nods_at = [
        now_street.post("/c/nod", {"url": f"https://{site}/1"}, cookie="; ".join(kept))
        for site in sites
    ]
    assert [answer.status for answer in now_street.run(*nods_at)] == [200] * len(sites)


def test_a_nod_is_committed_when_its_answer_begins(now_street, alice):
    token, one = passed(alice), page()
    beside, seen = _database.connect(), []

    def look() -> None:
        seen.extend(beside.query("SELECT thing_id, member_id FROM nods_nod", {}))

    now_street.look = look
    try:
        (answer,) = now_street.run(now_street.post("/c/nod", {"id": one.id, "pass": token}))
    finally:
        beside.close()
    assert answer.json["new"] is True
    # Once for the head of the answer, once for its body.
    assert seen == [(one.id, alice.id)] * 2


def test_the_same_key_or_the_same_month_is_the_first_nod(now_street, alice):
    token, one = passed(alice), page()
    ask = {"id": one.id, "key": "k1", "pass": token}
    first, again = now_street.run(*(now_street.post("/c/nod", ask) for _twice in range(2)))
    (other,) = now_street.run(now_street.post("/c/nod", ask | {"key": "k2"}))
    assert [a.json["new"] for a in (first, again, other)] == [True, False, False]
    assert {a.json["month"] for a in (first, again, other)} == {months.text(MONTH)}
    assert Count.objects.get().total == 1


def test_a_key_of_last_month_is_still_the_nod_of_last_month(now_street, alice):
    token, one = passed(alice), page()
    nods.record_many([])
    Nod.objects.create(month=MONTH - 1, member=alice, thing=one, at=NOW, key="k1")
    (answer,) = now_street.run(
        now_street.post("/c/nod", {"id": one.id, "key": "k1", "pass": token})
    )
    assert (answer.json["new"], answer.json["month"]) == (False, months.text(MONTH - 1))
    assert Nod.objects.count() == 1


def test_hundreds_at_once_are_few_transactions_and_right_counts(now_street, monkeypatch):
    members = [people.member(f"m{n}", funds="5.00", month=MONTH - 1) for n in range(20)]
    pages = [page(n) for n in range(15)]
    tokens = [passed(member) for member in members]
    batches = []
    real = _queue.Queue._tell

    def tell(self, batch, taken):
        batches.append(len(batch))
        real(self, batch, taken)

    monkeypatch.setattr(_queue.Queue, "_tell", tell)
    answers = now_street.run(
        *(
            now_street.post("/c/nod", {"id": one.id, "pass": token})
            for token in tokens
            for one in pages
        )
    )
    assert {a.status for a in answers} == {200}
    assert all(a.json["new"] for a in answers)
    assert Nod.objects.count() == 300
    assert set(Count.objects.values_list("total", flat=True)) == {20}
    assert sum(batches) == 300
    assert len(batches) <= 4
    assert SitePass.objects.filter(used=15).count() == 20


def test_a_nod_is_taken_back_and_given_again(now_street, alice):
    token, one = passed(alice), page()
    ask = {"id": one.id, "pass": token}
    (given,) = now_street.run(now_street.post("/c/nod", ask))
    (back,) = now_street.run(now_street.post("/c/take-back", ask))
    (twice,) = now_street.run(now_street.post("/c/take-back", ask))
    assert given.json["count"] == 1
    assert (back.json["nodded"], back.json["count"]) == (False, 0)
    assert (twice.status, twice.json["reason"]) == (409, "no-nod")
    (again,) = now_street.run(now_street.post("/c/nod", ask))
    assert again.json["new"]
    assert nods.wrong_counts() == []


def test_give_and_take_back_at_once_leave_the_count_right(now_street, alice):
    token, one = passed(alice), page()
    ask = {"id": one.id, "pass": token}
    deeds = ["/c/nod", "/c/take-back"] * 20
    now_street.run(*(now_street.post(deed, ask) for deed in deeds))
    assert nods.wrong_counts() == []
    assert nods.count(one.id) == Nod.objects.count()


def test_a_page_nobody_nodded_at_is_made_by_its_first_nod(now_street, alice):
    token = passed(alice)
    url = f"https://{SITE}/new?utm_source=x"
    asking = [now_street.post("/c/nod", {"url": url, "pass": token}) for _many in range(3)]
    answers = now_street.run(*asking)
    assert {a.status for a in answers} == {200}
    made = Thing.objects.get()
    assert (made.url, made.added_by_id) == (f"https://{SITE}/new", alice.id)
    other = {"url": "https://other.example/", "pass": token}
    (foreign,) = now_street.run(now_street.post("/c/nod", other))
    assert (foreign.status, foreign.json["reason"]) == (403, "other-site")
    assert Thing.objects.count() == 1


def test_a_pass_of_one_site_is_nothing_on_another(now_street, alice):
    token, foreign = passed(alice), page(host="other.example")
    (answer,) = now_street.run(now_street.post("/c/nod", {"id": foreign.id, "pass": token}))
    assert (answer.status, answer.json["reason"]) == (403, "other-site")
    second = passed(alice, "other.example")
    cookie = f"__Secure-nod-1={token}; other=1; __Secure-nod-2={second}"
    (both,) = now_street.run(now_street.post("/c/nod", {"id": foreign.id}, cookie=cookie))
    assert both.status == 200


def test_a_pass_taken_back_gives_nothing_from_that_moment(now_street, alice):
    token, one = passed(alice), page()
    now_street.run(now_street.post("/c/nod", {"id": one.id, "pass": token}))
    passes.revoke_all(member=alice)
    (answer,) = now_street.run(now_street.post("/c/nod", {"id": page(2).id, "pass": token}))
    assert (answer.status, answer.json["reason"]) == (401, "no-pass")
    assert Nod.objects.count() == 1


def test_an_old_pass_gives_nothing_and_a_used_one_lives_on(now_street, alice):
    token = passed(alice)
    SitePass.objects.update(expires_at=NOW + timedelta(days=1))
    now_street.run(now_street.post("/c/nod", {"id": page().id, "pass": token}))
    assert SitePass.objects.get().expires_at > NOW + timedelta(days=89)
    SitePass.objects.update(expires_at=NOW - timedelta(seconds=1))
    (answer,) = now_street.run(now_street.post("/c/nod", {"id": page(2).id, "pass": token}))
    assert answer.json["reason"] == "no-pass"


def test_own_refused_and_leaving_are_told_why(now_street, alice):
    token, own, refused = passed(alice), page(1), page(2)
    things.set_owner(thing=own, owner=alice, at=NOW)
    things.take_down(thing=refused, at=NOW)
    answers = now_street.run(
        *(now_street.post("/c/nod", {"id": one.id, "pass": token}) for one in (own, refused))
    )
    assert [(a.status, a.json["reason"]) for a in answers] == [(409, "own"), (409, "refused")]
    alice.closing_at = NOW
    alice.save(update_fields=["closing_at"])
    (leaving,) = now_street.run(now_street.post("/c/nod", {"id": page(3).id, "pass": token}))
    assert leaving.json["reason"] == "leaving"
    assert not Nod.objects.exists()


def test_what_is_partly_the_members_own_through_a_team_is_told_as_own(now_street, alice):
    ben, chris, token = people.member("ben"), people.member("chris"), passed(alice)
    teams_own, bens, mine, early = (page(n) for n in range(1, 5))
    for one in (teams_own, bens, early):
        things.set_owner(thing=one, owner=ben, at=NOW)
    inner = a_team({alice: 50, chris: 50}, name="Inner")
    outer = holding_from(MONTH, {ben: 50, inner.party: 50}, teams_own)
    Agreement.objects.update(from_month=MONTH)
    teams.put_in(team=outer, keeper=ben, what=early, at=NOW)
    asks = [
        now_street.post("/c/nod", {"id": one.id, "pass": token})
        for one in (teams_own, bens, mine, early)
    ]

    answers = now_street.run(*asks)

    told = [(answer.status, answer.json.get("reason")) for answer in answers]
    assert told == [(409, "own"), (200, None), (200, None), (200, None)]
    assert "This is yours, so you cannot nod at it." in answers[0].json["error"]
    assert set(Nod.objects.values_list("thing_id", flat=True)) == {bens.id, mine.id, early.id}
    # What was given before may be taken back.
    Nod.objects.create(month=MONTH, member=alice, thing=teams_own, at=NOW)
    Count.objects.create(thing=teams_own, total=1)
    (back,) = now_street.run(now_street.post("/c/take-back", {"id": teams_own.id, "pass": token}))
    assert (back.status, back.json["nodded"]) == (200, False)


def test_what_was_merged_is_nodded_at_where_it_went(now_street, alice):
    token, old, new = passed(alice), page(1), page(2)
    things.merge(thing=old, into=new, at=NOW)
    (answer,) = now_street.run(now_street.post("/c/nod", {"url": old.url, "pass": token}))
    assert answer.json["id"] == new.id


def test_a_pass_gives_so_many_a_day(transactional_db):
    street = Street(Policy(nods_a_day=3))
    people.instance_at(months.text(MONTH))
    alice = people.member("alice", funds="5.00", month=MONTH - 1)
    token = passed(alice)
    answers = street.run(
        *(street.post("/c/nod", {"id": page(n).id, "pass": token}) for n in range(5))
    )
    (late,) = street.run(street.post("/c/nod", {"id": page(9).id, "pass": token}))
    street.close()
    assert [a.status for a in answers] == [200, 200, 200, 429, 429]
    assert (late.status, late.json["reason"]) == (429, "limit")
    assert Nod.objects.count() == 3


def test_what_was_given_can_be_taken_back_whatever_came_since(transactional_db):
    street = Street(Policy(nods_a_day=2))
    people.instance_at(months.text(MONTH))
    alice = people.member("alice", funds="5.00", month=MONTH - 1)
    token, own, down = passed(alice), page(1), page(2)
    asks = [{"id": one.id, "pass": token} for one in (own, down)]
    street.run(*(street.post("/c/nod", ask) for ask in asks))
    things.set_owner(thing=own, owner=alice, at=NOW)
    things.take_down(thing=down, at=NOW)
    (beyond,) = street.run(street.post("/c/nod", {"id": page(3).id, "pass": token}))
    back = street.run(*(street.post("/c/take-back", ask) for ask in asks))
    street.close()
    assert beyond.json["reason"] == "limit"
    assert [answer.status for answer in back] == [200, 200]
    assert not Nod.objects.exists()
    assert nods.wrong_counts() == []
    assert SitePass.objects.get().used == 2


def test_a_member_nods_only_so_fast_in_all_browsers(now_street, alice):
    now_street.edge._queue._judge._members = _queue.Buckets(a_second=0.001, burst=4)
    tokens = [passed(alice) for _browser in range(3)]
    answers = now_street.run(
        *(now_street.post("/c/nod", {"id": page(n).id, "pass": tokens[n % 3]}) for n in range(6))
    )
    assert sorted(a.status for a in answers) == [200] * 4 + [429] * 2
    assert {a.json.get("reason") for a in answers} == {None, "limit"}


def test_who_has_not_topped_up_is_not_counted(now_street):
    token, one = passed(people.member("poor")), page()
    (answer,) = now_street.run(now_street.post("/c/nod", {"id": one.id, "pass": token}))
    assert (answer.json["new"], answer.json["count"]) == (True, 0)
    assert nods.wrong_counts() == []


def test_a_nod_after_the_close_counts_for_the_next_month(now_street, alice):
    people.Instance.objects.update(closed_through=MONTH)
    token = passed(alice)
    (answer,) = now_street.run(now_street.post("/c/nod", {"id": page().id, "pass": token}))
    assert answer.json["month"] == months.text(MONTH + 1)


@pytest.mark.parametrize(
    "other",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://localhost:8000.evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"host": "evil.example", "origin": "http://evil.example"},
    ],
)
def test_only_a_button_of_ours_may_post(now_street, alice, other):
    token, one = passed(alice), page()
    for path in ("/c/nod", "/c/take-back", "/c/probe", "/c/exchange"):
        (answer,) = now_street.run(now_street.post(path, {"id": one.id, "pass": token}, **other))
        assert (answer.status, answer.json["reason"]) == (403, "origin")
        assert "set-cookie" not in answer.headers
    assert not Nod.objects.exists()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_read(now_street, alice, kind):
    body = {"id": page().id, "pass": passed(alice)}
    (answer,) = now_street.run(now_street.post("/c/nod", body, content_type=kind))
    assert (answer.status, answer.json["reason"]) == (400, "bad")
    assert not Nod.objects.exists()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_nothing_but_a_post_records(now_street, alice, method):
    body = {"id": page().id, "pass": passed(alice)}
    for path in ("/c/nod", "/c/take-back", "/c/probe", "/c/exchange"):
        (answer,) = now_street.run(now_street.post(path, body, method=method))
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert not Nod.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"{", b"\xff", b"[" * 5_000, b'{"id": 1' + b" " * 9_000 + b"}"),
        *({}, {"id": "1"}, {"id": 0}, {"id": -1}, {"id": 1.5}, {"id": True}, {"id": 2**63}),
        *({"id": None}, {"url": 5}, {"url": ""}, {"id": 1, "url": "https://x.example/"}),
        *({"url": "javascript:alert(1)"}, {"url": "data:text/html,x"}, {"url": "/relative"}),
        *({"url": "https://x.example/" + "a" * 3_000}, {"id": 1, "key": "k" * 65}),
        *({"id": 1, "key": 5}, {"id": 1, "pass": "x" * 101}, {"id": 1, "key": "ü"}),
    ],
)
def test_what_is_not_of_the_form_is_refused(now_street, body):
    (answer,) = now_street.run(now_street.post("/c/nod", body, cookie="__Secure-nod-1=x"))
    assert (answer.status, answer.json["reason"]) == (400, "bad")
    assert answer.json["error"].endswith(".")


@pytest.mark.parametrize(
    "told", [5, "x", [], {"dwell_ms": "9"}, {"dwell_ms": 10**30}, {"visible": 1, "trusted": 1}]
)
def test_evidence_is_never_a_gate(now_street, alice, told):
    ask = {"id": page().id, "pass": passed(alice), "evidence": told}
    (answer,) = now_street.run(now_street.post("/c/nod", ask))
    assert answer.status == 200
    assert Nod.objects.get().evidence < 2**31


def test_strangers_lock_nothing(now_street, monkeypatch):
    one = page()

    def writing(_self):
        raise AssertionError("a transaction was begun")

    for kind in ("_Sqlite", "_Postgresql"):
        monkeypatch.setattr(f"mickle.edge._database.{kind}.writing", writing)
    (answer,) = now_street.run(now_street.post("/c/nod", {"id": one.id, "pass": "mkp_unknown"}))
    assert answer.json["reason"] == "no-pass"
    (none,) = now_street.run(now_street.post("/c/nod", {"id": one.id}))
    assert none.status == 401
