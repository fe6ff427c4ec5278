"""Drawn addresses, many: none crashes, understanding twice changes nothing, order means nothing.

Fifty thousand in each run, a million with --long, from one seed.
"""

import random
from itertools import chain

import pytest

from mickle.lib import urls
from mickle.lib.urls import BadUrl, Identity, identify
from tests.lib.url_pieces import FRAGMENTS, NAMES, OTHER_HOSTS, PIECES, SITE_HOSTS, VALUES

SEED = 20_261_127
COUNT, COUNT_LONG = 50_000, 1_000_000


class Drawn:
    """One address and the same with its query in another order."""

    def __init__(self, draw: random.Random) -> None:
        host = draw.choice(SITE_HOSTS if draw.random() < 0.7 else OTHER_HOSTS)
        user = draw.choice(("", "", "", "", "", "", "a@", "a:b@", "a.example@"))
        path = "".join(draw.choices(PIECES, k=draw.randrange(7)))
        # A space at the very end of an address would be no part of it.
        fragment = "#" + draw.choice(FRAGMENTS)
        names = draw.sample(NAMES, draw.choice((0, 0, 0, 1, 2, 3)))
        pairs = [f"{name}={draw.choice(VALUES).replace('&', '')}" for name in names]
        begin = f"{draw.choice(('http', 'https'))}://{user}{host}/{path.replace('?', '')}?"
        self.url = begin + "&".join(pairs) + fragment
        self.turned = begin + "&".join(reversed(pairs)) + fragment


def understood(url: str) -> Identity | None:
    try:
        return identify(url)
    except BadUrl:
        return None


def check(drawn: Drawn) -> bool:
    """Whether the address was one; the laws hold for every one that is."""
    once, turned = understood(drawn.url), understood(drawn.turned)
    if once is None or turned is None:
        assert once is turned is None, drawn.url
        return False
    assert once.identity == turned.identity, (drawn.url, drawn.turned)
    twice = identify(once.url)
    assert twice.identity == once.identity, drawn.url
    assert twice.url == once.url, drawn.url
    text = once.identity.removeprefix(urls.VERSION)
    # The port of https stands in an identity only where http asked for it.
    scheme = "http" if once.host.endswith(":443") else "https"
    assert identify(f"{scheme}://{text}").identity == once.identity, drawn.url
    urls.maker(once)
    return True


def test_drawn_addresses_keep_the_laws(request: pytest.FixtureRequest) -> None:
    count = COUNT_LONG if request.config.getoption("--long") else COUNT
    draw = random.Random(SEED)
    admitted = sum(check(Drawn(draw)) for _number in range(count))

    assert admitted > count // 2


def test_drawn_text_is_an_address_or_a_refusal() -> None:
    draw = random.Random(SEED)
    letters = [*PIECES, *"?#\t\n\ud800\x7f。\u00ad\u202e", "http:", "https:", "//"]
    for _number in range(COUNT // 5):
        text = "".join(draw.choices(letters, k=draw.randrange(1, 9)))
        for url in chain((text, f"https://{text}", f"https://example.com/{text}")):
            understood(url)
