"""Bank transfers in euros: reference, IBAN, QR code and the payment file (SEPA).

Sources: ISO 11649 (RF reference), EPC069-12 (QR code), EPC217-08 (character set),
ISO 20022 pain.001.001.09 (payment file).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

import segno
from django.conf import settings
from django.utils.html import escape
from django.utils.translation import gettext as _
from schwifty import IBAN
from schwifty.exceptions import InvalidChecksumDigits, InvalidCountryCode, SchwiftyException
from sepaxml import SepaTransfer
from sepaxml.validation import ValidationError
from stdnum import iso11649
from stdnum.iso7064 import mod_97_10
from text_unidecode import unidecode

from mickle.lib import money
from mickle.lib.errors import Refused

SCHEMA = "pain.001.001.09"
NAME_LENGTH = 70
TEXT_LENGTH = 140
ID_LENGTH = 35
QR_BYTES = 331
MAX_CENTS = 99_999_999_999

_MICROS_PER_CENT = 10_000
_REFERENCE = re.compile(r"RF[0-9]{2}MK[0-9]{10}")
_SEPARATORS = re.compile(r"[\s.,:/-]+")
# German names keep their vowels, as German banks write them; the signs follow EPC217-08.
_SPELT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ẞ": "SS"}
)
_SIGNS = str.maketrans("&;[]{}\\|_~`", "+,()()//--'")
_NOT_SEPA = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")


class BadIban(Refused):
    """The text is no account number that a SEPA transfer can reach."""


class BadName(Refused):
    """The account holder's name is missing, too long, or cannot be written in a bank's letters."""


class NoAccount(Refused):
    """The instance has no bank account of its own, or one that cannot pay by SEPA."""


@dataclass(frozen=True)
class Account:
    """A bank account as the bank knows it. `bic` may be empty."""

    name: str
    iban: str
    bic: str = ""


@dataclass(frozen=True)
class Transfer:
    """One payment of a file, in whole cents; `end_to_end_id` is ours and never given twice."""

    end_to_end_id: str
    to: Account
    cents: int
    text: str


def reference(member_id: int) -> str:
    """The RF reference by which a member's transfers are known, in groups of four."""
    body = f"MK{member_id:010d}"
    return iso11649.format(f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}")


def member_of(text: str) -> int | None:
    """The member id of the one valid reference in a bank's text; None without one, or with two."""
    packed = _SEPARATORS.sub("", text).upper()
    found = {number for number in _REFERENCE.findall(packed) if iso11649.is_valid(number)}
    return int(found.pop()[6:]) if len(found) == 1 else None


def iban(text: str) -> str:
    """The account number without spaces; raises BadIban with a sentence for its owner."""
    try:
        number = IBAN(text)
    except InvalidChecksumDigits as error:
        raise BadIban(
            _("Your bank's check digits do not fit this IBAN. Compare it with your card.")
        ) from error
    except InvalidCountryCode as error:
        raise BadIban(_("No country has IBANs that begin like this one.")) from error
    except SchwiftyException as error:
        raise BadIban(
            _("This is not a whole IBAN. Type it as it stands on your card, for example %(iban)s.")
            % {"iban": "DE02 1203 0000 0000 2020 51"}
        ) from error
    if not number.in_sepa_zone:
        raise BadIban(
            _("A SEPA transfer does not reach this country. Give an account inside SEPA.")
        )
    return number.compact


def groups(number: str) -> str:
    """An account number or reference in groups of four, as people compare it."""
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))


def holder(text: str) -> str:
    """The account holder's name, trimmed; raises BadName when a bank could not write it."""
    name = " ".join(text.split())
    if not name or len(name) > NAME_LENGTH or not any(sign.isalnum() for sign in latin(name)):
        raise BadName(
            _("Give the name of the account holder as the bank knows it, at most 70 letters.")
        )
    return name


def latin(text: str, limit: int = NAME_LENGTH) -> str:
    """The text in the letters every SEPA bank takes, cut to the limit."""
    written = unidecode(" ".join(text.split()).translate(_SPELT)).translate(_SIGNS)
    written = re.sub(r"/{2,}", "/", " ".join(_NOT_SEPA.sub(".", written).split()))
    return written.strip(" /")[:limit].rstrip(" /")


def house_account(*, real: bool) -> Account:
    """The instance's own account from its settings; a demo or test instance has a sample one.

    Raises NoAccount when a real instance has none, or does not keep its books in euros.
    """
    if settings.CURRENCY != "EUR":
        raise NoAccount(
            _("SEPA transfers are in euros only; this instance keeps another currency.")
        )
    name = settings.BANK_NAME or settings.OPERATOR_NAME or settings.INSTANCE_NAME
    if not settings.BANK_IBAN:
        if real:
            raise NoAccount(_("This instance has no bank account yet. Set MICKLE_BANK_IBAN."))
        return Account(name=name, iban="DE02120300000000202051")
    try:
        return Account(name=name, iban=iban(settings.BANK_IBAN), bic=settings.BANK_BIC)
    except BadIban as error:
        raise NoAccount(f"MICKLE_BANK_IBAN: {error}") from error


def whole_cents(amount_micros: int) -> int:
    """Cents of an amount that has no smaller part; anything else is a defect of the caller."""
    cents, rest = divmod(amount_micros, _MICROS_PER_CENT)
    if rest or not 0 < cents <= MAX_CENTS:
        raise ValueError(f"{amount_micros} micros are not an amount a bank transfers")
    return cents


def epc_text(*, to: Account, reference: str, amount_micros: int | None = None) -> str:
    """The lines a bank's app reads from the QR code (EPC069-12, version 2, UTF-8)."""
    amount = ""
    if amount_micros is not None:
        amount = f"EUR{money.plain(whole_cents(amount_micros) * _MICROS_PER_CENT)}"
    packed = iso11649.compact(reference)
    lines = ["BCD", "002", "1", "SCT", to.bic, to.name[:NAME_LENGTH], to.iban, amount, "", packed]
    text = "\n".join(lines)
    if len(text.encode()) > QR_BYTES:
        raise ValueError("the text of an EPC QR code has at most 331 bytes")
    return text


def epc_qr_svg(
    *, to: Account, reference: str, amount_micros: int | None = None, label: str = ""
) -> str:
    """The QR code as inline SVG: dark on its own white ground, so that it scans on dark pages."""
    text = epc_text(to=to, reference=reference, amount_micros=amount_micros)
    # EPC069-12 asks for error correction M and byte mode; no later version than 13.
    code = segno.make(
        text, error="m", mode="byte", encoding="utf-8", micro=False, boost_error=False
    )
    drawn = code.svg_inline(
        border=4, svgclass="qr", lineclass=None, omitsize=True, dark="#17212b", light="#fff"
    )
    named = f'<svg role="img" aria-label="{escape(label)}"' if label else '<svg aria-hidden="true"'
    return drawn.replace("<svg", named, 1)


def message_id(number: int, asked_at: datetime) -> str:
    """The id of a payment file, by its first payment: a bank refuses one it has seen."""
    return f"MK-{asked_at.astimezone(UTC):%Y%m%d}-{number}"


def credit_transfer_xml(
    *,
    debtor: Account,
    transfers: Sequence[Transfer],
    message_id: str,
    made_at: datetime,
    execution_date: date,
) -> bytes:
    """A schema-valid pain.001.001.09 file; the same arguments give the same bytes."""
    ids = {one.end_to_end_id for one in transfers}
    if not transfers or len(ids) != len(transfers):
        raise ValueError("a payment file has payments, each with an end-to-end id of its own")
    if max(len(one) for one in (message_id, *ids)) > ID_LENGTH:
        raise ValueError("ids in a payment file have at most 35 characters")
    house = {"name": latin(debtor.name), "IBAN": debtor.iban, "currency": "EUR", "batch": True}
    if debtor.bic:
        house["BIC"] = debtor.bic
    file = SepaTransfer(house, schema=SCHEMA, clean=False)
    for one in transfers:
        file.add_payment(_payment(one, execution_date))
    written = _settle_ids(file.export(validate=False), message_id, made_at)
    must_be_valid(written)
    return written


def must_be_valid(written: bytes) -> None:
    """Raise ValidationError when a payment file does not follow its schema."""
    wrong = next(_schema().iter_errors(written.decode()), None)
    if wrong is not None:
        raise ValidationError("the payment file does not follow its schema") from wrong


@cache
def _schema() -> Any:
    """The schema, read once; reading it takes longer than all else about a file."""
    # The library warns of what importing it early does to ElementTree.
    return import_module("xmlschema").XMLSchema(str(files("sepaxml") / f"schemas/{SCHEMA}.xsd"))


def _payment(one: Transfer, execution_date: date) -> dict[str, object]:
    if not 0 < one.cents <= MAX_CENTS:
        raise ValueError(f"{one.cents} cents are not an amount a bank transfers")
    return {
        "name": latin(one.to.name),
        "IBAN": one.to.iban,
        "amount": one.cents,
        "execution_date": execution_date,
        "description": latin(one.text, TEXT_LENGTH),
        "endtoend_id": one.end_to_end_id,
    }


def _settle_ids(written: bytes, message_id: str, made_at: datetime) -> bytes:
    """Replace the library's random ids and clock by ours, and name a bank whose BIC is unknown."""
    space = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
    names = {"": space}
    ET.register_namespace("", space)
    root = ET.fromstring(written)  # noqa: S314 - written by the lines above
    for path, text in (
        (".//GrpHdr/MsgId", message_id),
        (".//GrpHdr/CreDtTm", f"{made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"),
        (".//PmtInf/PmtInfId", message_id),
    ):
        for node in root.findall(path, names):
            node.text = text
    for node in root.findall(".//DbtrAgt/FinInstnId", names):
        if len(node) == 0:
            other = ET.SubElement(node, f"{{{space}}}Othr")
            ET.SubElement(other, f"{{{space}}}Id").text = "NOTPROVIDED"
    body: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body
