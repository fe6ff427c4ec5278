"""What no browser of a person sends is no fault of ours: a page says so, on either database."""

import pytest

from mickle.config._lines import Line
from mickle.members import members
from mickle.members.models import Invite
from tests.people import creator, instance_at, thing

pytestmark = pytest.mark.django_db
ODD = (
    *("/catalogue?tag=%00", "/catalogue?language=%00", "/catalogue?category=a%00b"),
    *("/catalogue?q=%00a", "/catalogue?q=https://x.example/%00", "/catalogue?order=%00"),
    *("/people/bob%00", "/nod?url=https://x.example/%00", "/catalogue?tag=%ED%A0%80"),
    *("/catalogue?page=" + "9" * 5_000, "/catalogue?page=-1", "/catalogue?page=%C2%B2"),
)


@pytest.mark.parametrize("path", ODD)
def test_an_odd_address_is_answered(client, path):
    instance_at("2026-11")
    thing("page", creator("bob"))
    # SQLite compares no further than the NUL, and finds Bob.
    assert client.get(path).status_code in (200, 302, 400, 404)


@pytest.mark.parametrize("number", ["9" * 5_000, "9" * 19, "\u0663", "\u00b2", "-1", ""])
def test_a_number_that_is_none_is_answered(client, number):
    instance_at("2026-11")
    operator = creator("olga")
    members.set_operator(member=operator, is_operator=True)
    client.force_login(operator)
    sent = {"page": number, "same": number, "note": "The same."}
    assert client.post("/operator/same/merge", sent).status_code == 404
    assert client.post("/operator/people/invite", {"uses": number}).status_code == 303
    assert Invite.objects.get().uses_left == 1


def test_a_fault_of_ours_is_one_though_the_address_is_odd(client, monkeypatch):
    instance_at("2026-11")

    def stumble(**_asked: object) -> None:
        raise ValueError

    monkeypatch.setattr("mickle.discovery.discovery.catalogue", stumble)
    client.raise_request_exception = False
    assert client.get("/catalogue").status_code == 500


def test_a_host_that_is_none_of_ours_is_one_line_that_names_the_setting(client, caplog):
    assert client.get("/", headers={"host": "elsewhere.example"}).status_code == 400
    [record] = [one for one in caplog.records if one.name == "django.security.DisallowedHost"]
    told = Line("{levelname} {message}", style="{").format(record)
    assert "\n" not in told
    assert "elsewhere.example" in told
    assert told.endswith("to MICKLE_HOSTS.")
