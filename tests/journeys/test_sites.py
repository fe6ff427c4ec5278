"""Sites I nod on: every pass is listed with its use, and taken back by one press."""

import pytest
from django.conf import LazySettings

from mickle.instance import instance
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.passes import passes
from mickle.passes.models import SitePass
from tests.people import instance_at
from tests.web.browsing import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Member:
    instance_at(months.text(instance.open_month()), kind="DEMO")
    return members.join(email="alice@example.org", username="alice", at=instance.now())


def button(member: Member, site: str) -> None:
    """A pass that a browser keeps."""
    code = passes.grant(member=member, site=site, nonce="n" * 22, at=instance.now())
    passes.exchange(code=code, nonce="n" * 22, at=instance.now())


def test_without_a_pass_the_page_says_how_one_comes(alice: Member) -> None:
    person = signed_in(alice).open("/settings")
    assert 'href="/settings/sites"' in person.html
    assert "Every nod asks first." in person.open("/settings/sites").text
    assert "Ask again" not in person.text


def test_each_pass_is_listed_with_what_it_is_and_its_use(
    alice: Member, settings: LazySettings
) -> None:
    settings.PASS_NODS_A_DAY = 150
    button(alice, "blog.example")
    passes.grant(member=alice, site="never.example", nonce="n" * 22, at=instance.now())
    passes.trust_link(member=alice, site="xn--mller-kva.example", at=instance.now())
    passes.use_link(member=alice, site="xn--mller-kva.example", at=instance.now())
    text = signed_in(alice).open("/settings/sites").text
    assert "blog.example Its buttons, in one browser" in text
    assert "0 of 150 nods today" in text
    assert "müller.example Its links" in text
    assert "1 of 150 nods today" in text
    assert "never.example" not in text


def test_yesterdays_nods_are_not_counted_today(alice: Member) -> None:
    button(alice, "blog.example")
    SitePass.objects.update(used=7, day=instance.now().toordinal() - 1)
    assert "0 of 200 nods today" in signed_in(alice).open("/settings/sites").text


def test_one_pass_is_taken_back_and_its_neighbours_stay(alice: Member) -> None:
    button(alice, "blog.example")
    passes.trust_link(member=alice, site="other.example", at=instance.now())
    person = signed_in(alice).open("/settings/sites")
    wanted = SitePass.objects.get(site="blog.example")
    person.send("/settings/sites", **{"deed": "revoke", "pass": str(wanted.id)})
    assert "Taken back. The next nod there asks first." in person.text
    assert "blog.example" not in person.text
    assert "other.example" in person.text


def test_all_passes_are_taken_back_by_one_press(alice: Member) -> None:
    bob = members.join(email="bob@example.org", username="bob", at=instance.now())
    for member, site in ((alice, "a.example"), (alice, "b.example"), (bob, "c.example")):
        button(member, site)
    person = signed_in(alice).open("/settings/sites").send("/settings/sites", deed="revoke-all")
    assert "Every nod asks first." in person.text
    assert SitePass.objects.get().member == bob


@pytest.mark.parametrize("number", ["", "-1", "x", "1e3", "9" * 18, "9" * 5_000, "٣"])
def test_a_number_that_is_no_pass_of_the_member_changes_nothing(alice: Member, number: str) -> None:
    bob = members.join(email="bob@example.org", username="bob", at=instance.now())
    button(alice, "blog.example")
    button(bob, "blog.example")
    person = signed_in(alice).open("/settings/sites")
    theirs = str(SitePass.objects.get(member=bob).id)
    for wanted in (number, theirs):
        person.open("/settings/sites").send("/settings/sites", **{"deed": "revoke", "pass": wanted})
        assert "This was gone already. Nothing was changed." in person.text
    assert SitePass.objects.count() == 2
