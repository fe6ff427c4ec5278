"""The address in a mail that ends such mails: signed, for one member and one topic, for good."""

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext as _

from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.notices.models import Topic

_SALT = "mickle.notices.stop"


class BadLink(Refused):
    """The address is not whole, or of another instance."""


def token(member: Member, topic: Topic) -> str:
    """What stands in the address."""
    return signing.dumps([member.id, topic.value], salt=_SALT)


def read(text: str) -> tuple[Member, Topic]:
    """Whose mails and which; raises BadLink."""
    try:
        id_, topic = signing.loads(text, salt=_SALT)
        return Member.objects.get(id=id_, closed_at=None), Topic(topic)
    except (signing.BadSignature, Member.DoesNotExist, ValueError, TypeError) as error:
        raise BadLink(
            _(
                "This link is not whole, or its account is closed. Nothing was changed. "
                "Signed in, you choose your mails in the settings."
            )
        ) from error


def url(member: Member, topic: Topic) -> str:
    """The address; empty where the instance was not told its own."""
    if not settings.BASE_URL:
        return ""
    return f"{settings.BASE_URL}{reverse('mail-stop', args=[token(member, topic)])}"
