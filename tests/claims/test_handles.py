"""An account keeps its number and changes its name: what was earned stays, and nobody inherits."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from mickle.claims import accounts, proofs
from mickle.claims.accounts import Account
from mickle.claims.models import Proof
from mickle.members.models import Member
from mickle.things.models import Scope
from tests.claims.seeing import AT, Web, look, owner, page, put, shown
from tests.people import creator, instance_at, member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
OLD = datetime(2015, 1, 1, tzinfo=UTC)
TOOL = "https://github.com/bob/tool"


@pytest.fixture(autouse=True)
def _instance(settings):
    instance_at("2026-11")
    settings.GITLAB_APPS = {"git.example": ("id", "secret")}


def hub(number: int, name: str, since_at: datetime | None = OLD) -> Account:
    return Account("github", "github.com", str(number), name, since_at)


def called(web: Web, number: int, name: str) -> None:
    """What GitHub tells everybody of an account."""
    told = {"id": number, "login": name, "type": "User"}
    web.pages[f"https://api.github.com/user/{number}"] = json.dumps(told)


def note(who: Member, account: Account, at: datetime = AT) -> Proof:
    """A member has just signed in."""
    proof = accounts.note(member=who, account=account, at=at)
    assert [check for check in proofs.audit() if not check.ok] == []
    return proof


def state(proof: Proof) -> str:
    proof.refresh_from_db()
    return proof.state


def test_an_account_that_is_there_and_called_the_same_stays_shown(web):
    bob, tool = creator("bob"), page(TOOL)
    proof = note(bob, hub(1, "bob"))
    called(web, 1, "BOB")

    assert look(web, proof, AT + 30 * DAY).state == "SHOWN"
    assert proof.looked_at == AT + 30 * DAY
    assert owner(tool) == bob


def test_a_renamed_account_has_its_old_pages_no_more_and_its_new_ones_by_a_new_sign_in(web):
    bob, tool, new = creator("bob"), page(TOOL), page("https://github.com/bobby/tool")
    proof = note(bob, hub(1, "bob"))
    called(web, 1, "bobby")

    assert look(web, proof, AT + DAY).state == "LOST"
    assert "is called bobby at github.com now" in proof.said
    assert (owner(tool), owner(new)) == (None, None)

    again = note(bob, hub(1, "bobby"), AT + 2 * DAY)
    assert (again.state, again.text, state(proof)) == ("SHOWN", "github.com/bobby", "ENDED")
    assert (owner(tool), owner(new)) == (None, bob)
    # Everybody may object to the new place anew.
    assert again.notice_until_at == AT + 2 * DAY + proofs.NOTICE


def test_what_is_shown_is_read_at_the_site_however_lately_it_was_signed_in(web):
    proof = note(creator("bob"), hub(1, "bob"))
    called(web, 1, "bobby")
    assert look(web, proof, AT + timedelta(minutes=5)).state == "LOST"


def test_what_was_lost_since_is_not_shown_by_the_sign_in_before(web):
    bob, tool = creator("bob"), page(TOOL)
    proof = note(bob, hub(1, "bob"))
    called(web, 1, "bobby")
    minutes = [timedelta(minutes=count) for count in (5, 10)]
    assert look(web, proof, AT + minutes[0]).state == "LOST"
    # Nor where the site is silent then.
    web.silent = {"api.github.com"}
    assert look(web, proof, AT + minutes[1]).state == "LOST"
    assert owner(tool) is None


def test_a_name_given_up_while_another_is_looked_at_is_not_had(web):
    bob, eve, tool = creator("bob"), creator("eve"), page(TOOL)
    first = note(bob, hub(1, "bob"))
    second = note(eve, hub(2, "bob"))
    called(web, 1, "bobby")
    called(web, 2, "evelyn")
    assert look(web, second, AT + timedelta(minutes=5)).state == "ASKED"
    assert (state(first), owner(tool)) == ("SHOWN", bob)


def test_who_signs_in_renamed_leaves_the_old_name_at_once():
    bob, tool = creator("bob"), page(TOOL)
    note(bob, hub(1, "bob"))
    note(bob, hub(1, "bobby"), AT + DAY)
    assert owner(tool) is None
    assert owner(page("https://github.com/bob/new")) is None


def test_a_name_that_another_account_has_now_goes_to_it_only_once_the_first_is_looked_at(web):
    bob, eve, tool = creator("bob"), creator("eve"), page(TOOL)
    first = note(bob, hub(1, "bob"))

    second = note(eve, hub(2, "bob"), AT + DAY)
    # Nothing moves by the second sign-in alone.
    assert (second.state, state(first), owner(tool)) == ("ASKED", "SHOWN", bob)
    assert second.wanted_at == AT + DAY

    called(web, 1, "bobby")
    called(web, 2, "bob")
    assert look(web, second, AT + DAY).state == "SHOWN"
    assert state(first) == "LOST"
    assert (owner(tool), owner(page("https://github.com/bob/new"))) == (eve, eve)


def test_the_name_of_a_deleted_account_is_nobodys_until_an_operator_says_so(web):
    """Whoever registers the name anew is younger than what people nodded at."""
    bob, eve, olga = creator("bob"), creator("eve"), member("olga")
    tool = page(TOOL)
    first = note(bob, hub(1, "bob"))
    assert look(web, first, AT + DAY).state == "LOST"
    assert "has no account github:1 any more" in first.said

    second = note(eve, hub(2, "bob", since_at=AT + 2 * DAY), AT + 3 * DAY)

    assert (second.state, owner(tool)) == ("DISPUTED", None)
    assert owner(page("https://github.com/bob/new")) is None
    assert list(proofs.disputes()) == [second]
    # Not by waiting either.
    called(web, 2, "bob")
    assert look(web, second, AT + 4 * DAY).state == "DISPUTED"
    web.pages.clear()
    assert look(web, second, AT + 5 * DAY).state == "LOST"
    assert note(eve, hub(2, "bob", since_at=AT + 2 * DAY), AT + 6 * DAY).state == "DISPUTED"

    proofs.decide(proof=second, by=olga, at=AT + 7 * DAY)
    assert (state(second), owner(tool)) == ("SHOWN", eve)
    # What was decided holds when it was lost and is back.
    web.pages.clear()
    assert look(web, second, AT + 8 * DAY).state == "LOST"
    assert note(eve, hub(2, "bob", since_at=AT + 2 * DAY), AT + 9 * DAY).state == "SHOWN"


def test_an_account_younger_than_pages_on_a_gitlab_of_ones_own_waits_too(settings):
    settings.GITLAB_APPS = {}
    tool = page("https://git.example/bob/tool")
    settings.GITLAB_APPS = {"git.example": ("id", "secret")}
    young = Account("gitlab", "git.example", "1", "bob", AT + DAY)
    assert note(creator("bob"), young, AT + 2 * DAY).state == "DISPUTED"
    assert owner(tool) is None


def test_two_members_of_one_account_have_it_neither(web):
    bob, eve, olga = creator("bob"), creator("eve"), member("olga")
    tool = page(TOOL)
    first, second = note(bob, hub(1, "bob")), note(eve, hub(1, "bob"), AT + DAY)
    called(web, 1, "bob")

    assert look(web, second, AT + DAY).state == "DISPUTED"
    assert (state(first), owner(tool)) == ("DISPUTED", None)
    # Signing in once more changes nothing.
    assert note(bob, hub(1, "bob"), AT + 2 * DAY).state == "DISPUTED"
    assert owner(tool) is None

    proofs.decide(proof=first, by=olga, at=AT + 3 * DAY)
    assert (owner(tool), state(second)) == (bob, "ENDED")


def test_who_is_decided_for_has_all_they_show(web):
    bob, eve, olga = creator("bob"), creator("eve"), member("olga")
    tool, site, issue = page(TOOL), page("https://bob.github.io/"), page(f"{TOOL}/issues/1")
    by_page, by_account = shown(web, bob, "https://github.com/bob", "ME"), note(bob, hub(1, "bob"))
    called(web, 1, "bob")
    assert look(web, note(eve, hub(1, "bob"))).state == "DISPUTED"
    assert [owner(one) for one in (tool, site, issue)] == [None, None, None]

    proofs.decide(proof=by_page, by=olga, at=AT + DAY)
    assert (state(by_page), state(by_account)) == ("SHOWN", "SHOWN")
    assert [owner(one) for one in (tool, site, issue)] == [bob, bob, bob]


def test_a_dispute_about_a_name_is_not_left_by_taking_another(web):
    bob, eve = creator("bob"), creator("eve")
    first = note(bob, hub(1, "bob"))
    called(web, 1, "bob")
    look(web, note(eve, hub(1, "bob")), AT)

    assert note(bob, hub(1, "bobby"), AT + DAY).state == "SHOWN"
    assert state(first) == "DISPUTED"


def test_whose_own_site_tells_everybody_nothing_still_disputes_by_having_signed_in(web):
    """The first still stands there; the second cannot be read, but has just signed in."""
    bob, eve = creator("bob"), creator("eve")
    put_there = "https://github.com/bob"
    web.pages[put_there] = '<a rel="me" href="https://mickle.example/people/bob">me</a>'
    first = shown(web, bob, put_there, "ME")
    web.silent = {"api.github.com"}
    second = note(eve, hub(1, "bob"))

    assert look(web, second).state == "DISPUTED"
    assert state(first) == "DISPUTED"


def test_a_page_and_an_account_of_one_name_are_one_place(web):
    bob, eve = creator("bob"), creator("eve")
    tool, site = page(TOOL), page("https://bob.github.io/")
    theirs = shown(web, eve, "https://github.com/bob", "ME")
    assert (owner(tool), owner(site)) == (eve, None)

    proof = note(bob, hub(1, "bob"))
    assert (proof.state, owner(tool), owner(site)) == ("ASKED", eve, None)
    web.pages.clear()
    called(web, 1, "bob")
    assert look(web, proof, AT + DAY).state == "SHOWN"
    assert (state(theirs), owner(tool), owner(site)) == ("LOST", bob, bob)
    # And the other way round: of two who show it nobody has it.
    put(web, theirs)
    assert look(web, theirs, AT + 2 * DAY).state == "DISPUTED"
    assert (state(proof), owner(tool), owner(site)) == ("DISPUTED", None, None)


def test_who_shows_both_has_both_and_keeps_what_is_left(web):
    bob = creator("bob")
    tool, site, issue = page(TOOL), page("https://bob.github.io/"), page(f"{TOOL}/issues/1")
    by_page = shown(web, bob, "https://github.com/bob", "ME")
    assert [owner(one) for one in (tool, site, issue)] == [bob, None, bob]
    by_account = note(bob, hub(1, "bob"))
    assert [owner(one) for one in (tool, site, issue)] == [bob, bob, bob]
    assert owner(page("https://bob.github.io/new")) == owner(page(f"{TOOL}/issues/2")) == bob

    proofs.end(proof=by_page, at=AT + DAY)
    assert [owner(one) for one in (tool, site, issue)] == [bob, bob, None]
    assert owner(page(f"{TOOL}/issues/3")) is None
    put(web, by_page)
    by_page = shown(web, bob, "https://github.com/bob", "ME")
    assert [owner(one) for one in (tool, site, issue)] == [bob, bob, bob]
    web.pages.pop("https://api.github.com/user/1", None)
    assert look(web, by_account, AT + 2 * DAY).state == "LOST"
    assert [owner(one) for one in (tool, site, issue)] == [bob, None, bob]
    assert owner(page("https://bob.github.io/newer")) is None


NARROWER = {
    "a repository": ("https://github.com/bob/tool", "REPOSITORY", TOOL, "https://github.com/bob/x"),
    "its site of pages": (
        "https://bob.github.io/",
        "FILE",
        "https://bob.github.io/a",
        "https://github.com/bob/x",
    ),
    "a part of what is raw": (
        "https://raw.githubusercontent.com/bob/tool",
        "META",
        "https://raw.githubusercontent.com/bob/tool/main/a",
        "https://raw.githubusercontent.com/bob/x/main/a",
    ),
}


@pytest.mark.parametrize(("place", "method", "inside", "outside"), NARROWER.values(), ids=NARROWER)
def test_an_account_does_not_reach_into_what_another_showed_apart(
    web, place, method, inside, outside
):
    bob, eve = creator("bob"), creator("eve")
    within, without = page(inside), page(outside)
    narrow = shown(web, eve, place, method)
    assert owner(within) == eve
    # Nor after it was lost: nobody has it then.
    web.pages.clear()
    assert look(web, narrow, AT + DAY).state == "LOST"

    assert note(bob, hub(1, "bob"), AT + DAY).state == "SHOWN"
    assert (owner(within), owner(without)) == (None, bob)
    assert owner(page(f"{inside}?page=2")) is None
    put(web, narrow)
    assert look(web, narrow, AT + 2 * DAY).state == "SHOWN"
    assert owner(within) == owner(page(f"{inside}?page=3")) == eve
    assert owner(without) == bob


def test_what_an_account_has_stays_when_another_shows_a_part_of_it(web):
    bob, eve = creator("bob"), creator("eve")
    before = page("https://bob.github.io/a")
    note(bob, hub(1, "bob"))
    shown(web, eve, "https://bob.github.io/", "FILE")
    assert owner(before) == bob
    assert owner(page("https://bob.github.io/b")) == eve


def test_whoever_runs_a_server_has_not_what_its_accounts_made(web):
    ana, ines = creator("ana"), creator("ines")
    before = page("https://social.example/@ana/109000000000000001")
    shown(web, ines, "https://social.example/", "DNS")
    assert owner(before) is None
    web.silent = {"social.example"}
    proof = look(web, note(ana, Account("mastodon", "social.example", "7", "Ana", OLD)))
    assert (proof.state, proof.text) == ("SHOWN", "social.example/@ana")
    assert owner(before) == ana
    assert owner(page("https://social.example/@ana/109000000000000002")) == ana
    assert owner(page("https://social.example/about")) == ines
    assert owner(page("https://social.example/@bea/109000000000000002")) is None


def test_an_account_of_a_gitlab_has_its_part_of_a_host_that_is_shown(web):
    ana, ines = creator("ana"), creator("ines")
    tool, issue = page("https://git.example/ana/tool"), page("https://git.example/ana/-/issues/1")
    note(ana, Account("gitlab", "git.example", "7", "Ana", OLD))
    shown(web, ines, "https://git.example/", "FILE")
    assert (owner(tool), owner(issue)) == (ana, None)
    assert owner(page("https://git.example/ana/new")) == ana
    assert owner(page("https://git.example/bea/new")) == ines


SILENT = {
    "trouble": "503",
    "a limit": '{"message": "API rate limit exceeded"}',
    "a page": "<html>Sign in</html>",
    "another account": '{"id": 2, "login": "bob", "type": "User"}',
    "a number as a text": '{"id": "1", "login": "bob", "type": "User"}',
    "an organisation": '{"id": 1, "login": "bob", "type": "Organization"}',
    "no name": '{"id": 1, "type": "User"}',
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_an_answer_that_says_nothing_of_the_account_is_silence_until_it_lasts_a_week(web, text):
    bob, tool = creator("bob"), page(TOOL)
    proof = note(bob, hub(1, "bob"))
    web.pages["https://api.github.com/user/1"] = text

    for day in (30, 36):
        assert look(web, proof, AT + day * DAY).state == "SHOWN"
    assert (owner(tool), proof.looked_at) == (bob, AT)
    assert look(web, proof, AT + 37 * DAY).state == "LOST"
    assert owner(tool) is None
    # By signing in once more it is back.
    assert note(bob, hub(1, "bob"), AT + 38 * DAY).state == "SHOWN"
    assert owner(tool) == bob


def test_an_account_is_read_where_it_stands_and_nowhere_else(web):
    proof = note(creator("bob"), hub(1, "bob"))
    called(web, 1, "bob")
    web.pages["https://evil.example/"] = web.pages.pop("https://api.github.com/user/1")
    web.leads["https://api.github.com/user/1"] = "https://evil.example/"
    web.pages["https://www.api.github.com/user/1"] = json.dumps(
        {"id": 1, "login": "bob", "type": "User"}
    )

    assert look(web, proof, AT + 30 * DAY).looked_at == AT
    assert "https://www.api.github.com/user/1" not in web.asked


def test_nobody_shows_more_accounts_than_anybody_needs():
    bob = creator("bob")
    for number in range(1, proofs.LIVE_AT_MOST + 1):
        note(bob, hub(number, f"bob{number}"))
    with pytest.raises(proofs.TooMany):
        note(bob, hub(99, "bob99"))
    assert Scope.objects.count() == proofs.LIVE_AT_MOST
