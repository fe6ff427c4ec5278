"""T16: real servers of pages and names, and who is believed; nobody gets what is not theirs."""

from collections.abc import Iterator

import pytest

from mickle.claims import proofs
from mickle.claims.models import Proof
from mickle.things.models import Scope, Thing
from tests.claims.seeing import profile_of
from tests.claims.street import Street, Web, at_port, street_of
from tests.lib.street import page
from tests.people import MID_NOVEMBER as AT
from tests.people import creator, instance_at

pytestmark = pytest.mark.django_db
HOST, OTHER = "blog.example", "evil.example"


@pytest.fixture(scope="module")
def streets(tmp_path_factory) -> Iterator[tuple[Web, Street]]:
    web = Web()
    with street_of(web, tmp_path_factory.mktemp("street")) as here:
        yield web, here


@pytest.fixture
def street(streets, tmp_path) -> Street:
    """The servers stay from case to case; what stands there, and what was read of it, does not."""
    instance_at("2026-11")
    web, here = streets
    web.pages.clear()
    web.records = [{}, {}]
    here.read_anew(tmp_path)
    return here


@pytest.fixture
def web(street, streets) -> Web:
    return streets[0]


def shown(street: Street, proof: Proof) -> bool:
    """Whether a look gives the place, and nothing but the place."""
    Thing.objects.bulk_create(
        Thing(identity=f"v1:{host}/essay", host=host, created_at=AT)
        for host in (HOST, OTHER, f"sub.{HOST}", "example")
    )
    proofs.look(proof=proof, profile_of=profile_of, eyes=street, at=AT)
    essay, *beside = Thing.objects.order_by("id").values_list("owner_id", flat=True)
    assert beside == [None, None, None]
    given = essay == proof.member_id
    assert given is (proof.state == "SHOWN")
    assert given is Scope.objects.filter(owner=proof.member).exists()
    return given


def html(text: str, **more: str) -> bytes:
    return page(text.encode(), **more)


GOOD = '<meta name="mickle:owner" content="{token}">'
ME = '<a rel="me" href="{own}">me</a>'
PAYS = '<link rel="payment" href="{own}">'
BIG = "x" * (1 << 20)
HEADS: dict[str, tuple[str, bool]] = {
    # method META: the page at https://blog.example/, and whether it is believed
    "as the page says": (f"<html><head>{GOOD}</head></html>", True),
    "in capitals": ('<META NAME="mickle:owner" CONTENT="{token}">', True),
    "with other quotes": ("<meta content='{token}' name='mickle:owner'>", True),
    "beside another's": ('<meta name="mickle:owner" content="abc">' + GOOD, True),
    "of another member": ('<meta name="mickle:owner" content="{theirs}">', False),
    "of another place": ('<meta name="mickle:owner" content="{elsewhere}">', False),
    "cut": ('<meta name="mickle:owner" content="{token:.10}">', False),
    "with more behind": ('<meta name="mickle:owner" content="{token}x">', False),
    "empty": ('<meta name="mickle:owner" content="">', False),
    "under another name": ('<meta name="mickle" content="{token}">', False),
    "as text": ("<p>mickle:owner {token}</p>", False),
    "in a comment": (f"<!-- {GOOD} -->", False),
    "in a script": (f"<script>var a = '{GOOD}'</script>", False),
    "in a style": (f"<style>{GOOD}</style>", False),
    "as a title": (f"<title>{GOOD}</title>", False),
    "in an attribute": ("<p title='<meta name=mickle:owner content={token}>'>a</p>", False),
    "escaped": ("&lt;meta name=&quot;mickle:owner&quot; content=&quot;{token}&quot;&gt;", False),
    "behind a megabyte": (f"<p>{BIG}</p>{GOOD}", False),
}


def tokens(member, proof: Proof) -> dict[str, str]:
    eve = creator("eve")
    place = f"https://{HOST}/"
    return {
        "token": proof.token,
        "here": place,
        "host": HOST,
        "own": profile_of(member),
        "theirs": proofs.begin(member=eve, address=place, method=proof.method, at=AT).token,
        "hers": profile_of(eve),
        "elsewhere": proofs.begin(
            member=member, address=f"https://{OTHER}/", method=proof.method, at=AT
        ).token,
    }


def begin(method: str, address: str = f"https://{HOST}/") -> Proof:
    return proofs.begin(member=creator("bob"), address=address, method=method, at=AT)


@pytest.mark.parametrize(("text", "believed"), HEADS.values(), ids=HEADS)
def test_a_line_in_the_head(street, web, text, believed):
    proof = begin("META")
    web.pages[HOST, "/"] = html(text.format(**tokens(proof.member, proof)))
    assert shown(street, proof) is believed


# As the snippets of a button have it, which everybody may put up.
NOD = '<a rel="payment nofollow" href="https://mickle.example/nod?{}">Nod</a>'

LINKS: dict[str, tuple[str, str, bool]] = {
    "me, a link": ("ME", ME, True),
    "me, in the head": ("ME", '<link rel="me" href="{own}">', True),
    "me among others": ("ME", '<a rel="nofollow me noopener" href="{own}">x</a>', True),
    "me of another member": ("ME", '<a rel="me" href="{hers}">x</a>', False),
    "me to another instance": (
        "ME",
        '<a rel="me" href="https://x.example/people/bob">x</a>',
        False,
    ),
    "me to a page below": ("ME", '<a rel="me" href="{own}/x">x</a>', False),
    "me to a longer name": ("ME", '<a rel="me" href="{own}by">x</a>', False),
    "a link without me": ("ME", '<a href="{own}">x</a>', False),
    "a word that begins so": ("ME", '<a rel="mention" href="{own}">x</a>', False),
    "payment": ("PAYMENT", PAYS, True),
    "payment for a nod": ("PAYMENT", NOD.format("url={here}&by=bob"), True),
    "payment for a nod, escaped": (
        "PAYMENT",
        NOD.format("url=https%3A%2F%2Fwww.{host}&amp;by=bob"),
        True,
    ),
    "payment for another": ("PAYMENT", NOD.format("url={here}&by=eve"), False),
    "payment for two": ("PAYMENT", NOD.format("url={here}&by=eve&by=bob"), False),
    "payment for a nod elsewhere": (
        "PAYMENT",
        NOD.format("url=https%3A%2F%2Fbob.example%2F&by=bob"),
        False,
    ),
    "payment for one page of it": ("PAYMENT", NOD.format("url={here}essay-of-bob&by=bob"), False),
    "payment for two pages": (
        "PAYMENT",
        NOD.format("url={here}&url=https://bob.example/&by=bob"),
        False,
    ),
    "payment for no page": ("PAYMENT", NOD.format("by=bob"), False),
    "payment elsewhere": (
        "PAYMENT",
        '<link rel="payment" href="https://other.example/nod?by=bob">',
        False,
    ),
    "payment in a comment": ("PAYMENT", f"<!-- {PAYS} -->", False),
    "payment of another member": ("PAYMENT", '<link rel="payment" href="{hers}">', False),
    "me is no payment": ("PAYMENT", ME, False),
    "payment is not me": ("ME", PAYS, False),
}


@pytest.mark.parametrize(("method", "text", "believed"), LINKS.values(), ids=LINKS)
def test_a_link_to_the_members_page(street, web, method, text, believed):
    proof = begin(method)
    web.pages[HOST, "/"] = html(text.format(**tokens(proof.member, proof)))
    assert shown(street, proof) is believed


FILE = "/.well-known/mickle.txt"
FILES: dict[str, tuple[str, bool]] = {
    "alone": ("{token}", True),
    "a line of many": ("# ours\n{theirs}\n{token}\n", True),
    "with spaces and a return": ("  {token} \r\n", True),
    "of another member": ("{theirs}\n", False),
    "of another place": ("{elsewhere}\n", False),
    "with words": ("mickle: {token}\n", False),
    "cut": ("{token:.12}\n", False),
    "empty": ("", False),
    "behind a hundred lines": ("x\n" * 100 + "{token}\n", False),
    "behind a megabyte": (BIG + "\n{token}\n", False),
}


@pytest.mark.parametrize(("text", "believed"), FILES.values(), ids=FILES)
def test_a_file(street, web, text, believed):
    proof = begin("FILE")
    body = text.format(**tokens(proof.member, proof))
    web.pages[HOST, FILE] = html(body, kind="text/plain")
    assert shown(street, proof) is believed


ANSWERS = ("404 Not Found", "403 Forbidden", "410 Gone", "500 Oops", "429 Later", "204 No Content")
WAYS = ("FILE", "META", "ME", "PAYMENT", "FUNDING")


def good(web: Web, proof: Proof, host: str = HOST, **more: str) -> None:
    """What would be believed, at a host."""
    own = profile_of(proof.member)
    path, text = {
        "FILE": (FILE, proof.token),
        "META": ("/", GOOD.format(token=proof.token)),
        "ME": ("/", ME.format(own=own)),
        "PAYMENT": ("/", PAYS.format(own=own)),
        "FUNDING": (
            "/funding.json",
            f'{{"funding": {{"channels": [{{"address": "{own}"}}]}}}}',
        ),
    }[proof.method]
    web.pages[host, path] = html(text, **more)


def asks(proof: Proof) -> str:
    return {"FILE": FILE, "FUNDING": "/funding.json"}.get(proof.method, "/")


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize("status", ANSWERS)
def test_only_a_page_that_is_there_counts(street, web, method, status):
    proof = begin(method)
    good(web, proof, status=status)
    assert not shown(street, proof)


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize(
    "kind", ["image/png", "application/octet-stream", "video/mp4", "font/woff"]
)
def test_only_text_counts(street, web, method, kind):
    proof = begin(method)
    good(web, proof, kind=kind)
    assert not shown(street, proof)


@pytest.mark.parametrize("method", WAYS)
@pytest.mark.parametrize(
    ("first", "believed"),
    [
        (f"http://www.{HOST}", True),
        (f"http://{HOST.upper()}", True),
        (f"http://{OTHER}", False),
        (f"http://sub.{HOST}", False),
        (f"http://{HOST}.{OTHER}", False),
        (f"http://x{HOST}", False),
        ("http://example", False),
    ],
)
def test_only_its_own_host_may_be_led_to(street, web, method, first, believed):
    proof = begin(method)
    host = first.removeprefix("http://").lower()
    path = asks(proof)
    good(web, proof, host)
    if host == HOST:
        # To itself would go round for ever.
        web.pages[HOST, "/there"] = web.pages[HOST, path]
        web.pages[HOST, path] = at_port(f"{first}/there")
    else:
        web.pages[HOST, path] = at_port(f"{first}{path}")
    assert shown(street, proof) is believed


@pytest.mark.parametrize("method", WAYS)
def test_a_way_round_by_another_host_shows_nothing(street, web, method):
    proof = begin(method)
    path = asks(proof)
    good(web, proof)
    web.pages[HOST, "/back"] = web.pages[HOST, path]
    web.pages[HOST, path] = at_port(f"http://{OTHER}/hop")
    web.pages[OTHER, "/hop"] = at_port(f"http://{HOST}/back")
    assert not shown(street, proof)


NAME = f"_mickle.{HOST}"
Records = list[tuple[str, str]] | str


def names(own: str, theirs: str) -> dict[str, tuple[dict[str, Records], dict[str, Records], bool]]:
    """What each of two servers of names says, and whether it is believed."""
    right: Records = [("TXT", f"mickle={own}")]
    return {
        "both": ({NAME: right}, {NAME: right}, True),
        "among others": ({NAME: [("TXT", "v=spf1"), *right]}, {NAME: [*right, ("TXT", "x")]}, True),
        "only the first": ({NAME: right}, {}, False),
        "only the second": ({}, {NAME: right}, False),
        "the first is told otherwise": ({NAME: right}, {NAME: [("TXT", "mickle=x")]}, False),
        "neither": ({}, {}, False),
        "no such name": ({NAME: "NXDOMAIN"}, {NAME: "NXDOMAIN"}, False),
        "no answer": ({NAME: "SERVFAIL"}, {NAME: right}, False),
        "another member's": (
            {NAME: [("TXT", f"mickle={theirs}")]},
            {NAME: [("TXT", f"mickle={theirs}")]},
            False,
        ),
        "without its name": ({NAME: [("TXT", own)]}, {NAME: [("TXT", own)]}, False),
        "with more behind": (
            {NAME: [("TXT", f"mickle={own}x")]},
            {NAME: [("TXT", f"mickle={own}x")]},
            False,
        ),
        "at the host itself": ({HOST: right}, {HOST: right}, False),
        "at the parent": ({"_mickle.example": right}, {"_mickle.example": right}, False),
        "at a child": ({f"_mickle.sub.{HOST}": right}, {f"_mickle.sub.{HOST}": right}, False),
        "by an alias": (
            {NAME: [("CNAME", "proofs.blog.example"), *right]},
            {NAME: [("CNAME", "proofs.blog.example"), *right]},
            True,
        ),
        "by an alias that leads nowhere": (
            {NAME: [("CNAME", "gone.example")]},
            {NAME: [("CNAME", "gone.example")]},
            False,
        ),
    }


@pytest.mark.parametrize("case", names("", ""))
def test_a_record(street, web, case):
    proof = begin("DNS")
    first, second, believed = names(proof.token, tokens(proof.member, proof)["theirs"])[case]
    web.records = [dict(first), dict(second)]
    assert shown(street, proof) is believed


def test_a_manifest_that_shows_it_needs_no_other(street, web):
    """One that is named and silent takes nothing from what the place itself shows."""
    proof = begin("FUNDING")
    good(web, proof)
    web.pages[HOST, "/.well-known/funding-manifest-urls"] = html(f"https://{OTHER}/funding.json\n")
    web.records = [{OTHER: "SERVFAIL"}] * 2
    assert shown(street, proof)


def test_a_manifest_elsewhere_counts_where_the_place_names_it(street, web):
    proof = begin("FUNDING")
    good(web, proof, OTHER)
    assert not shown(street, proof)


def test_a_manifest_elsewhere_that_the_place_names_shows_it(street, web):
    proof = begin("FUNDING")
    good(web, proof, OTHER)
    web.pages[HOST, "/.well-known/funding-manifest-urls"] = html(
        f"\nhttps://{OTHER}/funding.json\n", kind="text/plain"
    )
    assert shown(street, proof)


@pytest.mark.parametrize("method", WAYS)
def test_a_site_that_answers_with_www_alone_is_read_there(street, web, method):
    proof = begin(method)
    web.records = [{HOST: "SERVFAIL"}] * 2
    good(web, proof, f"www.{HOST}")
    assert shown(street, proof)


@pytest.mark.parametrize("method", [*WAYS, "DNS"])
def test_a_silent_host_shows_nothing_and_is_no_loss(street, web, method):
    proof = begin(method)
    web.records = [{HOST: "SERVFAIL", NAME: "SERVFAIL"}] * 2
    assert not shown(street, proof)
    assert proof.silent_since_at == AT


FEED = """<?xml version="1.0"?><rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"
 xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>A podcast</title>{line}
<item><title>One</title><guid>1</guid></item></channel></rss>"""
FEEDS: dict[str, tuple[str, str, bool]] = {
    "podcast:funding": ("/feed", '<podcast:funding url="{own}">Help</podcast:funding>', True),
    "a payment link": ("/feed", '<atom:link rel="payment" href="{own}" />', True),
    "of another member": ("/feed", '<podcast:funding url="{hers}">Help</podcast:funding>', False),
    "of nobody": ("/feed", "", False),
    "at another host": (f"https://{OTHER}/feed", '<atom:link rel="payment" href="{own}" />', False),
}


@pytest.mark.parametrize(("feed", "line", "believed"), FEEDS.values(), ids=FEEDS)
def test_a_feed_of_the_place_may_ask_for_payment(street, web, feed, line, believed):
    proof = begin("PAYMENT")
    own = tokens(proof.member, proof)
    web.pages[HOST, "/"] = html(
        f'<link rel="alternate" type="application/rss+xml" href="{feed}"><title>Blog</title>'
    )
    text = FEED.format(line=line.format(**own)).encode()
    for host in (HOST, OTHER):
        web.pages[host, "/feed"] = page(text, kind="application/rss+xml")
    assert shown(street, proof) is believed
