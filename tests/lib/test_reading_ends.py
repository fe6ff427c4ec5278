"""Where a page's head ends and where an entry of a feed does, though nobody says so."""

import pytest

from tests.lib.test_reading import feed, page

_BODY = "div p main header nav section article aside button input video x-comment svg iframe object"


@pytest.mark.parametrize("first", _BODY.split())
@pytest.mark.parametrize("head", ["<html><head><title>x</title>", "<title>x</title>", ""])
def test_a_head_ends_with_the_first_tag_of_a_body_though_nobody_says_so(head, first):
    said = '<meta name="mickle:owner" content="x"><link rel="canonical" href="/evil">'
    for text in (f"{head}<{first}>{said}</{first}>", f"{head}<{first}></{first}>{said}"):
        found = page(text)
        assert (found.owners, found.canonical) == ((), "")


def test_what_may_stand_in_a_head_ends_none():
    before = "<base href=/><link rel=x><script>1</script><style>p {}</style><noscript>n</noscript>"
    said = '<template><p>t</p></template><meta name="mickle:owner" content="x">'
    for head in (f"<html><head>{before}{said}</head>", f"<!-- c --><title>x</title>{before}{said}"):
        assert page(head).owners == ("x",)


@pytest.mark.parametrize("name", ["item", "entry"])
def test_what_an_entry_holds_is_none_of_the_feed_whatever_it_calls_its_tags(name):
    pay = '<link rel="payment" href="https://evil.example/"/><title>Evil</title>'
    inner = f'<content type="xhtml"><div><{name}>x</{name}>{pay}</div></content>'
    text = (
        f"<entry><title>One</title>{inner}</entry><title>The feed</title><entry><id>2</id></entry>"
    )
    found = feed(f'<feed xmlns="http://www.w3.org/2005/Atom">{text}</feed>', "application/atom+xml")
    assert (found.title, found.payments) == ("The feed", ())
    assert [item.title for item in found.items] == ["One", ""]
    assert found.items[0].payments == ("https://evil.example/",)
