"""Which registry is asked since when a domain is somebody's, and what its answer says."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mickle.lib import rdap, shared_hosts

# As in RFC 9224, section 5.2, with one that answers by http alone.
LISTING = json.dumps(
    {
        "version": "1.0",
        "publication": "2026-01-07T10:11:12Z",
        "description": "Some text",
        "services": [
            [["net", "com"], ["https://registry.example.com/myrdap/"]],
            [["org", "mytld"], ["http://example.org/", "https://example.org/"]],
            [["co.mytld"], ["https://narrow.example/rdap"]],
            [["old"], ["http://plain.example/"]],
        ],
    }
)


def answer(*events: object, **more: object) -> str:
    told = {"objectClassName": "domain", "ldhName": "BLOG.example", "events": list(events)}
    return json.dumps(told | more)


def event(action: str, date: object) -> dict[str, object]:
    return {"eventAction": action, "eventDate": date}


@pytest.mark.parametrize(
    ("domain", "there"),
    [
        ("blog.com", "https://registry.example.com/myrdap/domain/blog.com"),
        ("Blog.NET", "https://registry.example.com/myrdap/domain/Blog.NET"),
        # By https where a registry answers both ways, and not at all where it answers by http.
        ("blog.org", "https://example.org/domain/blog.org"),
        ("blog.old", ""),
        ("blog.co.mytld", "https://narrow.example/rdap/domain/blog.co.mytld"),
        ("blog.mytld", "https://example.org/domain/blog.mytld"),
        ("blog.de", ""),
        ("com", ""),
    ],
)
def test_the_registry_of_the_longest_ending_is_asked(domain, there):
    assert rdap.address(LISTING, domain) == there


def test_a_domain_is_its_holders_since_it_was_registered_last():
    first, again = event("registration", "1997-06-03T00:00:00Z"), "2026-10-05T12:00:00.5+02:00"
    others = [event("last changed", "2026-11-01T00:00:00Z"), event("expiration", "2027-01-01")]
    told = answer(first, *others)
    assert rdap.registered_at(told, "blog.example") == datetime(1997, 6, 3, tzinfo=UTC)
    told = answer(event("reregistration", again), first)
    assert rdap.registered_at(told, "Blog.example") == datetime.fromisoformat(again)


@pytest.mark.parametrize(
    "told",
    [
        "",
        "<html>",
        "[" * 100_000,
        "null",
        "[]",
        answer(event("registration", "yesterday")),
        answer(event("registration", "2026-10-05T12:00:00")),
        answer(event("registration", 20261005)),
        answer(event("registration", "0001-01-01T00:00:00+14:00")),
        answer(event("registration", "9999-12-31T23:59:59-14:00")),
        answer(event("registration", None), "registration", None, 7),
        answer(event("transfer", "2026-10-05T12:00:00Z")),
        answer(event("registration", "2026-10-05T12:00:00Z"), ldhName="other.example"),
        answer(event("registration", "2026-10-05T12:00:00Z"), ldhName=None),
        answer(event("registration", "2026-10-05T12:00:00Z"), objectClassName="entity"),
        answer(events={"eventAction": "registration"}),
    ],
)
def test_an_odd_answer_says_nothing(told):
    assert rdap.registered_at(told, "blog.example") is None


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["com", "https:"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["services", "events", "ldhName", "eventDate"]), inner)
    ),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_json_comes_is_read_without_a_fault(told):
    text = json.dumps(told)
    assert isinstance(rdap.address(text, "blog.com"), str)
    assert rdap.registered_at(text, "blog.com") is None


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("blog.example", "blog.example"),
        ("a.b.blog.co.uk", "blog.co.uk"),
        ("www.blog.de:8443", "blog.de"),
        # A part of what somebody else registered, by name or by path.
        ("alice.github.io", ""),
        ("alice.wordpress.com", ""),
        ("medium.com", ""),
        ("github.com", ""),
        ("co.uk", ""),
        ("localhost", ""),
        ("192.0.2.7", ""),
        ("[2001:db8::1]", ""),
    ],
)
def test_only_who_has_a_name_from_a_registry_has_a_domain(host, domain):
    assert shared_hosts.domain(host) == domain
