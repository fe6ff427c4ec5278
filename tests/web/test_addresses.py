"""An address of the web is read as people type it."""

import pytest

from mickle.web.forms import AddressField


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("example.org", "https://example.org"),
        (" example.org/page?a=b:c#d ", "https://example.org/page?a=b:c#d"),
        ("example.org?q=1", "https://example.org?q=1"),
        ("nod.example.org:8443/x", "https://nod.example.org:8443/x"),
        ("bücher.example/ü", "https://bücher.example/ü"),
        ("http://example.org/", "http://example.org/"),
        ("ftp://example.org/", "ftp://example.org/"),
        ("javascript:alert(1.5)", "javascript:alert(1.5)"),
        ("data:text/html,a.b", "data:text/html,a.b"),
        ("mailto:bob@example.org", "mailto:bob@example.org"),
        ("bob@example.org", "bob@example.org"),
        ("//example.org/x", "//example.org/x"),
        ("example", "example"),
        ("two words.example", "two words.example"),
        ("https:example.org", "https:example.org"),
    ],
)
def test_only_a_host_is_completed(typed, read):
    assert AddressField().clean(typed) == read


def test_what_may_be_empty_stays_so():
    assert AddressField(required=False).clean("") == ""
