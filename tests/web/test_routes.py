"""What holds for every address: who may, by which method, and that a GET writes nothing."""

from collections.abc import Iterator
from datetime import datetime
from importlib import metadata

import pytest
from django.conf import LazySettings, settings
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from django.urls import reverse

from mickle.claims import claims, proofs
from mickle.claims.models import Proof
from mickle.instance import instance
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member, WaitingPerson
from mickle.nods import nods
from mickle.notices import letters, notices
from mickle.notices.models import Letter, Notice, Topic
from mickle.payins import payins
from mickle.payins.models import Payin
from mickle.payouts import payouts
from mickle.settlement import settlement
from mickle.teams import teams
from mickle.teams.models import Team
from mickle.things import things
from mickle.things.models import Merger
from mickle.web import errors, urls
from mickle.web.paths import NumberConverter
from tests.people import EUR, NOVEMBER, creator, instance_at, member, thing

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
OPEN = {
    *("home", "catalogue", "thing", "figures", "terms", "privacy", "imprint", "source"),
    *("robot", "nod", "nod-window", "nod-kept", "profile", "playground", "mail-stop"),
    *("proofs", "proof", "proof-json", "letter-stop"),
}
SIGNING_IN = {route.name for route in urls.signing_in}
POST_ONLY = {
    "set-language",
    "waiting-list",
    "nod-at",
    "nod-window-at",
    "play-money",
    "take-back-waiting",
    "claim",
    "proof-deed",
    "sign-in-start",
    "team-deed",
    "dispute-decide",
    "refuse-nods",
    "to-funds",
    "month-close",
    "month-settle",
    "assign",
    "payout-make-file",
    "file-executed",
    "payout-mark",
    "claim-decide",
    "same-merge",
    "same-decide",
    "charity-deed",
    "invite",
    "invite-waiting",
    "suspend",
    "make-operator",
    "put-back",
    "mail-again",
}
# A mail program asks with the address alone; the signature in it is its right (RFC 8058).
SIGNED = {"mail-stop", "letter-stop"}
OPERATORS = {route.name for route in urls.operators}
MEMBERS = {route.name for route in urls.givers + urls.makers}
MEMBERS |= {"nod-done", "nod-window-done", "monthly"}
NOD_PAGES = {"nod", "nod-window", "nod-kept"}


ROWS = NumberConverter.regex
SITE = {"site": "mastodon", "host": "social.example"}


@pytest.fixture
def world() -> dict[str, object]:
    """One of everything an address can name."""
    instance_at("2026-11", kind="TEST")
    bob = creator("bob")
    alice = member("alice", funds="20.00")
    page = thing("page", bob)
    lost = thing("lost")
    for one in (page, lost):
        nods.give(member=alice, thing=one, at=months.start(NOVEMBER))
    instance.move_clock(to=max(months.end(NOVEMBER + 1), instance.now()).replace(microsecond=1))
    at = instance.now()
    settlement.settle(month=NOVEMBER, at=at)
    payins.book(amount_micros=EUR("3.00"), key="B-1", at=at, reference="nothing known")
    to = {"iban": "DE02120300000000202051", "holder_name": "Alice"}
    payouts.refund(member=alice, at=at, key="1", amount_micros=EUR("1.00"), **to)
    file = payouts.make_file(at=at)
    members.join(email="ines@example.org", username="ines", at=at, is_operator=True)
    return SITE | {
        "thing_id": page.id,
        "month": "2026-11",
        "form": "csv",
        "payin_id": Payin.objects.get().id,
        "file_id": file.id,
        "payout_id": file.payouts.get().id,
        "claim_id": claims.make(thing=lost, member=alice, at=at).id,
        "proof_id": shown_by(bob, at).id,
        "merger_id": said_same(at).id,
        "team_id": team_of(bob, alice, at).party_id,
        "charity_id": members.list_charity(slug="sea", name="Sea rescue").id,
        "member_id": alice.id,
        "username": "alice",
        "person_id": WaitingPerson.objects.create(email="w@example.org", asked_at=at).id,
        "token": instance.new_setup_token(),
        "maker_letter": letter_to_a_maker(at),
        "letter": notices.stop_token(member=alice, topic=Topic.REMINDERS),
        "notice_id": notice(alice, at).id,
    }


def shown_by(who: Member, at: datetime) -> Proof:
    return proofs.begin(member=who, address="https://blog.example/", method="FILE", at=at)


def said_same(at: datetime) -> Merger:
    two = [things.find_or_add(url=f"https://a.example/{name}", at=at) for name in ("a", "b")]
    things.note_same(thing=two[0], url=two[1].url, at=at)
    return Merger.objects.get()


def letter_to_a_maker(at: datetime) -> str:
    return letters.token(
        Letter.objects.create(host="b.example", year=at.year, mark="x", state="SENT", told_at=at)
    )


def team_of(by: Member, other: Member, at: datetime) -> Team:
    return teams.found(by=by, name="Band", percents={by: 50, other: 50}, at=at)


def notice(who: Member, at: datetime) -> Notice:
    return Notice.objects.create(
        member=who, month=NOVEMBER, kind="STATEMENT", made_at=at, try_at=at
    )


def paths(world: dict[str, object]) -> Iterator[tuple[str, str]]:
    for route in urls.urlpatterns:
        wanted = route.pattern.converters
        yield route.name, reverse(route.name, kwargs={name: world[name] for name in wanted})


def browser(name: str = "", *, checks: bool = False) -> Client:
    client = Client(enforce_csrf_checks=checks)
    if name:
        client.force_login(Member.objects.get(username=name), backend=BACKEND)
    return client


def token_of(client: Client) -> str:
    """What a form of ours brings, as a page with one has set it."""
    client.get(reverse("settings"))
    return client.cookies[settings.CSRF_COOKIE_NAME].value


def test_every_address_is_in_one_list() -> None:
    named = [route.name for route in urls.urlpatterns]
    assert len(named) == len(set(named))
    assert set(named) == OPEN | SIGNING_IN | POST_ONLY | OPERATORS | MEMBERS | {"setup"}


def test_a_deed_refuses_get(world: dict[str, object]) -> None:
    client = browser("ines")
    for name, path in paths(world):
        assert (client.get(path).status_code == 405) is (name in POST_ONLY), name


def test_a_post_without_the_token_of_its_form_is_refused(world: dict[str, object]) -> None:
    client = browser("ines", checks=True)
    for name, path in paths(world):
        for form in ({}, {"csrfmiddlewaretoken": "a" * 64}):
            answer = client.post(path, form)
            if name in SIGNED:
                assert answer.status_code == 200, name
                continue
            assert answer.status_code == 403, name
            assert "no longer valid" in answer.content.decode(), name


def test_a_post_that_another_site_sent_is_refused(world: dict[str, object]) -> None:
    client = browser("ines")
    for name, path in paths(world):
        for site in ("cross-site", "same-site"):
            answer = client.post(path, headers={"Sec-Fetch-Site": site})
            assert answer.status_code == 403, name
            assert "came from another site" in answer.content.decode(), name


def test_a_post_with_its_token_from_another_origin_is_refused(world: dict[str, object]) -> None:
    client = browser("ines", checks=True)
    token = token_of(client)
    form, ours = {"csrfmiddlewaretoken": token}, {"Origin": "http://testserver"}
    for name, path in paths(world):
        for origin in ("https://evil.example", "https://testserver", "null"):
            answer = client.post(path, form, headers={"Origin": origin})
            assert answer.status_code == (200 if name in SIGNED else 403), (name, origin)
    # From here the same is asked of every address, and none says that it came from elsewhere.
    for name, path in paths(world):
        answer = client.post(path, form, headers=ours)
        assert "no longer valid" not in answer.content.decode(), name


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_a_body_of_another_kind_brings_no_token(world: dict[str, object], kind: str) -> None:
    client = browser("ines", checks=True)
    token = token_of(client)
    bodies = (f"csrfmiddlewaretoken={token}", f'{{"csrfmiddlewaretoken": "{token}"}}')
    for name, path in paths(world):
        for body in bodies:
            answer = client.post(path, body, content_type=kind)
            assert answer.status_code == (200 if name in SIGNED else 403), name


@pytest.mark.parametrize("who", ["", "alice", "bob", "ines"])
def test_a_get_writes_nothing(world: dict[str, object], who: str) -> None:
    client = browser(who)
    written: list[str] = []

    def watch(execute, sql, params, many, context):
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(sql)
        return execute(sql, params, many, context)

    for name, path in paths(world):
        if name in SIGNING_IN:
            continue  # allauth clears an abandoned sign-in from the session
        with connection.execute_wrapper(watch):
            client.get(path, {"url": "https://new.example/", "amount": "5", "audit": "yes"})
        assert not written, name


def test_a_head_is_answered_as_its_get_is_without_the_page(world: dict[str, object]) -> None:
    client = browser("ines")
    for name, path in paths(world):
        # Of what allauth answers a look at a form alone changes the session.
        if name not in SIGNING_IN:
            answer = client.head(path)
            assert answer.status_code == client.get(path).status_code, name
            assert not answer.content, name


def test_a_page_of_members_sends_others_to_sign_in(world: dict[str, object]) -> None:
    client = browser()
    for name, path in paths(world):
        answer = client.post(path) if name in POST_ONLY else client.get(path)
        if name in MEMBERS | OPERATORS:
            assert answer["Location"].startswith("/sign-in?next="), name
        elif name in OPEN - NOD_PAGES:
            assert answer.status_code == 200, name


def test_who_presses_a_button_signed_out_goes_on_to_its_page(world: dict[str, object]) -> None:
    client = browser()
    here, home = "/sign-in?next=/settings%3Fa%3Db", "/sign-in?next=/month"
    came = {"http://testserver/settings?a=b": here, "https://evil.example/": home, "": home}
    came |= {"http://testserver//evil.example/": home, "/settings": home, "http://[": home}
    for name, path in paths(world):
        if name in POST_ONLY & (MEMBERS | OPERATORS):
            for referer, wanted in came.items():
                answer = client.post(path, headers={"Referer": referer})
                assert answer["Location"] == wanted, (name, referer)


def test_a_page_of_operators_is_not_there_for_members(world: dict[str, object]) -> None:
    client = browser("alice")
    for name, path in paths(world):
        if name in OPERATORS:
            answer = client.post(path) if name in POST_ONLY else client.get(path)
            assert answer.status_code == 404, name


def test_every_page_opens_for_its_people(world: dict[str, object]) -> None:
    own = {"own-proof"}
    for who, names in (("ines", OPERATORS), ("bob", MEMBERS - own), ("alice", own)):
        client = browser(who)
        for name, path in paths(world):
            if name in names - POST_ONLY - {"withdraw"}:
                answer = client.get(path, headers={"Accept-Language": "de"})
                assert answer.status_code == 200, (name, answer)


def test_headers_hold_on_every_page(world: dict[str, object]) -> None:
    client = browser("alice")
    for name, path in paths(world):
        answer = client.get(path, secure=True)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert "unsafe" not in policy, name
        assert answer["X-Content-Type-Options"] == "nosniff"
        keeps = name in {"nod-window", "nod-window-at", "nod-window-done"}
        wanted = "unsafe-none" if keeps else "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == wanted, name
        assert answer["X-Frame-Options"] == "DENY", name
        assert "no-store" in answer["Cache-Control"], name
        assert answer["Strict-Transport-Security"].startswith("max-age="), name
    assert "Strict-Transport-Security" not in client.get("/").headers


def test_django_finds_nothing_wrong_with_the_addresses_and_their_errors() -> None:
    assert run_checks(tags=["urls", "templates"]) == []


@pytest.mark.parametrize("path", ["/nothing", "/thing/1", "/statements/2026-99"])
def test_what_is_not_there_is_said_in_the_look(path: str) -> None:
    instance_at(kind="DEMO")
    page = browser().get(path).content.decode()
    assert "Nothing at this address" in page
    assert "Demo with play money." in page


@pytest.mark.parametrize("number", ["9223372036854775808", "9" * 5_000])
def test_a_number_that_fits_into_no_key_is_at_no_address(
    world: dict[str, object], number: str
) -> None:
    client = browser("ines")
    for route in urls.urlpatterns:
        of_rows = [n for n, one in route.pattern.converters.items() if one.regex == ROWS]
        if not of_rows:
            continue
        named = {name: world[name] for name in route.pattern.converters}
        path = reverse(route.name, kwargs=named | dict.fromkeys(of_rows, 123_454_321))
        path = path.replace("123454321", number)
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 404, route.name


def test_a_page_number_of_any_length_is_answered() -> None:
    instance_at(kind="DEMO")
    for number in ("9" * 5_000, "٣" * 5_000, "0" * 5_000, "-1", "", "²"):
        assert browser().get("/catalogue", {"page": number}).status_code == 200, number


@pytest.mark.parametrize("month", ["0001-01", "9999-11", "9999-12"])
def test_the_first_and_the_last_month_there_are_break_no_page(
    world: dict[str, object], month: str
) -> None:
    client = browser("ines")
    for name, known in paths(world):
        path = known.replace("2026-11", month)
        if path != known:
            assert client.get(path).status_code in (200, 303, 404, 405), name
            assert client.post(path).status_code in (303, 404, 405), name


def test_the_foot_of_a_page_leads_to_the_source(settings: LazySettings) -> None:
    instance_at(kind="DEMO")
    assert '<a href="/source">Source</a>' in browser().get("/").content.decode()
    page = browser().get("/source").content.decode()
    assert f"Version {metadata.version('mickle')} of Mickle" in page
    assert "has to offer that source" in page
    settings.SOURCE_URL = "https://code.example/mickle"
    link = '<a href="https://code.example/mickle">'
    assert f"{link}Source</a>" in browser().get("/").content.decode()
    page = browser().get("/source").content.decode()
    assert link in page
    assert "has to offer" not in page


def test_our_own_fault_asks_the_database_nothing(rf, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        answer = errors.broken(rf.get("/"))
    assert answer.status_code == 500
    assert "This is our fault." in answer.content.decode()
