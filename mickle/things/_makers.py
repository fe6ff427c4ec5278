"""The accounts that made things, by the names their addresses say."""

from django.conf import settings

from mickle.lib import urls
from mickle.lib.urls import Identity
from mickle.things.models import MAKER_CHARACTERS, Thing


def of(found: Identity | str) -> str:
    """`github:bob`, or `social.example:bob` of the fediverse; empty where nobody surely made it."""
    made = urls.maker(found, gitlabs=settings.GITLAB_APPS)
    text = f"{made.site}:{made.name}" if made is not None else ""
    return text if len(text) <= MAKER_CHARACTERS else ""


def learn(host: str, *, maker: str) -> None:
    """Name a maker's things that were added before their host was known to run GitLab."""
    if host not in settings.GITLAB_APPS:
        return
    # As they were added their capitals stayed; most of a site without a maker is nobody's.
    own = f"{urls.VERSION}{host}/{maker.rpartition(':')[2]}"
    rows = Thing.objects.filter(host=host, maker="", identity__istartswith=own)
    for id_, identity in rows.values_list("id", "identity").iterator():
        if made := of(identity):
            Thing.objects.filter(id=id_).update(maker=made)
