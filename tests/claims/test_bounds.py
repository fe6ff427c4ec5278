"""What a look takes for no proof, how far looks go, and that none stops the others."""

from datetime import timedelta

import pytest

from mickle.claims import proofs
from tests.claims.seeing import AT, begin, look, owner, page, put, shown
from tests.people import creator, instance_at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _instance():
    instance_at("2026-11")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("{}", "SHOWN"),
        ("# Mickle\r\n\r\n {} \r\nanother-word\r\n", "SHOWN"),
        ("<!doctype html><title>.well-known/mickle.txt</title><pre>\n{}\n</pre>", "ASKED"),
        ("{}\n<p>written by whoever came by</p>", "ASKED"),
        ("word {}", "ASKED"),
    ],
)
def test_a_file_is_lines_and_no_page_that_anybody_may_have_written(web, text, state):
    bob, there = creator("bob"), page("https://blog.example/")
    proof = begin(bob)
    web.pages["https://blog.example/.well-known/mickle.txt"] = text.format(proof.token)

    assert look(web, proof).state == state
    assert owner(there) == (bob if state == "SHOWN" else None)


@pytest.mark.parametrize("segments", [9, 100])
def test_a_path_is_whose_it_is_however_deep_it_lies(web, segments):
    bob, eve, deep = creator("bob"), creator("eve"), f"https://uni.example{'/a' * segments}"
    shown(web, bob, "https://uni.example/", "FILE")

    assert shown(web, eve, deep, "META").state == "SHOWN"

    assert owner(page(deep)) == eve
    assert owner(page(f"{deep}/new")) == eve
    assert owner(page(f"{deep[:-2]}/new")) == bob


def test_a_path_of_more_than_a_hundred_names_is_shown_by_the_one_above_it(web):
    eve, above = creator("eve"), f"https://uni.example{'/a' * 100}"

    assert shown(web, eve, f"{above}/b/c", "META").url == above
    assert owner(page(f"{above}/b/c")) == eve


def test_a_commit_is_no_repository():
    bob, commit = creator("bob"), "0123456789abcdef0123456789abcdef01234567"
    for below in (commit, f"tree/{commit}", "refs/pull/1/head"):
        with pytest.raises(proofs.BadMethod):
            begin(bob, f"https://github.com/mickle/mickle/{below}", "REPOSITORY")
        with pytest.raises(proofs.BadMethod):
            begin(bob, f"https://codeberg.org/mickle/mickle/{below}", "REPOSITORY")
    assert begin(bob, "https://gitlab.com/group/below/tool", "REPOSITORY").state == "ASKED"


def test_nobody_sends_looks_to_more_than_ten_new_hosts_an_hour():
    bob, eve = creator("bob"), creator("eve")
    for number in range(10):
        proofs.end(proof=begin(bob, f"https://blog{number}.example/"), at=AT)
    for more in ("https://blog10.example/", "https://www.blog11.example/x"):
        with pytest.raises(proofs.TooMany):
            begin(bob, more)

    # Another way at one of them is no new host, and an hour later, or for others, all is as before.
    assert begin(bob, "https://blog3.example/", "DNS").state == "ASKED"
    assert begin(eve, "https://blog10.example/").state == "ASKED"
    at = AT + timedelta(hours=1)
    later = proofs.begin(member=bob, address="https://blog10.example/", method="FILE", at=at)
    assert later.state == "ASKED"


def test_a_file_that_nobody_can_read_keeps_no_other_proof_back(web, monkeypatch):
    bob, eve = creator("bob"), creator("eve")
    hers = begin(eve, "https://github.com/eve/tool", "REPOSITORY")
    proofs.want_look(proof=hers, at=AT)

    def stumble(_text: str) -> list[str]:
        raise IndexError

    put(web, hers)
    with monkeypatch.context() as patch:
        patch.setattr("mickle.claims._looking.funding.custom", stumble)
        assert look(web, hers).state == "ASKED"
    # It was tried, so others have their turn; that it could not be read is no word about it.
    assert (hers.wanted_at, hers.tried_at, hers.silent_since_at) == (None, AT, None)
    assert "could not be read" in hers.said
    assert shown(web, bob).state == "SHOWN"
    assert look(web, hers).state == "SHOWN"
