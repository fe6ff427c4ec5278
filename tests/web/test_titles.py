"""Titles of pages: who has several open, or only hears them, can tell them apart."""

import re
from html import unescape

import pytest

from tests.people import creator, instance_at, thing
from tests.web.browsing import signed_in

pytestmark = pytest.mark.django_db


def test_each_view_of_the_catalogue_and_of_a_page_has_a_title_of_its_own() -> None:
    instance_at()
    bob = creator("bob")
    page = thing("blog", bob)
    person = signed_in(bob)
    looked_at = {
        "/catalogue": "Catalogue · ",
        "/catalogue?q=maps": "maps · Catalogue · ",
        "/catalogue?category=audio": "Audio · Catalogue · ",
        f"/thing/{page.id}": "Blog · ",
        f"/thing/{page.id}/edit": "Change: Blog · ",
    }
    for path, begins in looked_at.items():
        title = re.search("<title>(.*?)</title>", person.open(path).html)[1]
        assert unescape(title).startswith(begins)
