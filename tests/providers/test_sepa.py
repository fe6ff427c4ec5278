"""Bank transfers: references, account numbers, QR codes and payment files."""

from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET

import pytest
import segno.helpers
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sepaxml.validation import ValidationError, try_valid_xml
from stdnum import iso11649

from mickle.providers import sepa
from tests import qr

HOUSE = sepa.Account("Hafenblatt e.V.", "DE02120300000000202051", "BYLADEM1001")
BOB = sepa.Account("Bob Müller-Lüdenscheidt", "DE89370400440532013000")
AT = datetime(2026, 12, 4, 9, 30, tzinfo=UTC)
SPACE = {"": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


def file(*transfers: sepa.Transfer, debtor: sepa.Account = HOUSE) -> bytes:
    return sepa.credit_transfer_xml(
        debtor=debtor,
        transfers=transfers,
        message_id=sepa.message_id(7, AT),
        made_at=AT,
        execution_date=date(2026, 12, 7),
    )


def to_bob(number: int = 1, cents: int = 1234, name: str = BOB.name) -> sepa.Transfer:
    return sepa.Transfer(f"MK-P{number}", sepa.Account(name, BOB.iban), cents, "Mickle")


def values(xml: bytes, path: str) -> list[str | None]:
    root = ET.fromstring(xml)  # noqa: S314 - the code under test wrote it
    return [node.text for node in root.findall(path, SPACE)]


# --- references ---------------------------------------------------------------------------------


@given(st.integers(1, 10**10 - 1))
def test_every_member_has_a_valid_reference_in_groups_of_four(member):
    reference = sepa.reference(member)
    assert iso11649.is_valid(reference)
    assert {len(group) for group in reference.split()} == {4}
    assert sepa.member_of(reference) == member


@pytest.mark.parametrize("around", ["{}", "Danke! {} Gruss, Alice", "rf {}", "EREF+1 SVWZ+{}."])
def test_a_reference_is_found_in_the_text_of_a_bank_however_it_is_written(around):
    for written in (
        "RF37 MK00 0000 0042",
        "rf37mk0000000042",
        "RF37-MK00-0000-0042",
        "RF37 MK0\n0 0000 0042",
    ):
        assert sepa.member_of(around.format(written)) == 42


@given(st.integers(1, 10**6), st.integers(4, 15), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_no_reference(member, place, digit):
    number = iso11649.compact(sepa.reference(member))
    wrong = number[:place] + digit + number[place + 1 :]
    if wrong != number:
        assert sepa.member_of(wrong) is None


def test_two_members_in_one_text_are_nobody():
    assert sepa.member_of(f"{sepa.reference(1)} or {sepa.reference(2)}") is None
    assert sepa.member_of(f"{sepa.reference(1)} {sepa.reference(1)}") == 1
    assert sepa.member_of("RF18539007547034") is None
    assert sepa.member_of("") is None


# --- account numbers and names ------------------------------------------------------------------


def test_an_iban_is_kept_without_spaces():
    assert sepa.iban(" de89 3704 0044 0532 0130 00 ") == "DE89370400440532013000"
    assert sepa.groups(BOB.iban) == "DE89 3704 0044 0532 0130 00"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("DE88370400440532013000", "check digits do not fit this IBAN. Compare it with your card"),
        ("DE8937040044053201300", "not a whole IBAN"),
        ("DE8937040044053201300A", "not a whole IBAN"),
        ("", "not a whole IBAN"),
        ("12345", "not a whole IBAN"),
        ("XX89370400440532013000", "No country"),
        ("RU0204452560040702810412345678901", "does not reach this country"),
    ],
)
def test_a_wrong_iban_is_refused_with_a_sentence(text, says):
    with pytest.raises(sepa.BadIban, match=says):
        sepa.iban(text)


def test_the_name_of_a_holder_is_trimmed_and_has_to_be_one():
    assert sepa.holder("  Ana  María\tÑúñez ") == "Ana María Ñúñez"
    assert sepa.holder("x" * 70) == "x" * 70
    for text in ("", "   ", "x" * 71, "!!!", "\N{GRINNING FACE}"):
        with pytest.raises(sepa.BadName, match="account holder"):
            sepa.holder(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Jürgen Groß & Söhne", "Juergen Gross + Soehne"),
        ("ÄÖÜ", "AeOeUe"),
        ("Łódź; [Ñandú]", "Lodz, (Nandu)"),
        ("Παπαδόπουλος", "Papadopoulos"),
        ("//a//b/", "a/b"),
        ("tab\tline\nend", "tab line end"),
        ("“five” €", ".five. EUR"),
        ("x" * 69 + "/y", "x" * 69),
    ],
)
def test_text_is_written_in_the_letters_every_bank_takes(text, written):
    assert sepa.latin(text) == written


@given(st.text(max_size=200))
def test_whatever_is_written_stays_inside_the_set_and_the_limit(text):
    written = sepa.latin(text)
    allowed = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
    assert set(written) <= allowed
    assert len(written) <= 70


# --- the house's own account --------------------------------------------------------------------


def test_a_real_instance_without_an_account_says_which_setting_is_missing(settings):
    settings.BANK_IBAN = ""
    with pytest.raises(sepa.NoAccount, match="MICKLE_BANK_IBAN"):
        sepa.house_account(real=True)
    assert sepa.iban(sepa.house_account(real=False).iban)


def test_the_settings_name_the_house_account(settings):
    settings.BANK_IBAN, settings.BANK_BIC = "DE89 3704 0044 0532 0130 00", "COBADEFFXXX"
    settings.BANK_NAME = "Hafenblatt"
    assert sepa.house_account(real=True) == sepa.Account("Hafenblatt", BOB.iban, "COBADEFFXXX")
    settings.BANK_IBAN = "DE88370400440532013000"
    with pytest.raises(sepa.NoAccount, match="MICKLE_BANK_IBAN: Your bank"):
        sepa.house_account(real=True)


def test_sepa_is_for_euros(settings):
    settings.CURRENCY = "JPY"
    with pytest.raises(sepa.NoAccount, match="euros only"):
        sepa.house_account(real=False)


# --- QR codes -----------------------------------------------------------------------------------


def test_the_qr_text_has_the_lines_of_the_guideline():
    text = sepa.epc_text(to=HOUSE, reference=sepa.reference(42), amount_micros=5_000_000)
    assert text.split("\n") == [
        "BCD",
        "002",
        "1",
        "SCT",
        "BYLADEM1001",
        "Hafenblatt e.V.",
        "DE02120300000000202051",
        "EUR5.00",
        "",
        "RF37MK0000000042",
    ]


@pytest.mark.parametrize("name", ["Hafenblatt e.V.", "Ä" * 70, "x" * 70, "新聞社"])
@pytest.mark.parametrize("amount_micros", [None, 10_000, 600_000_000])
def test_a_drawn_qr_code_reads_back_as_its_text(name, amount_micros):
    to = sepa.Account(name, HOUSE.iban)
    given_text = {"to": to, "reference": sepa.reference(42), "amount_micros": amount_micros}
    svg = sepa.epc_qr_svg(**given_text, label="Transfer")
    assert qr.text(svg) == sepa.epc_text(**given_text)
    assert qr.level(qr.modules(svg)) == "M"


def test_another_writer_of_epc_codes_draws_the_same_modules():
    theirs = segno.helpers.make_epc_qr(
        name=HOUSE.name,
        iban=HOUSE.iban,
        amount="12.34",
        reference="RF37MK0000000042",
        bic=HOUSE.bic,
        encoding="utf-8",
    )
    ours = sepa.epc_qr_svg(to=HOUSE, reference=sepa.reference(42), amount_micros=12_340_000)
    assert qr.modules(ours) == [list(row) for row in theirs.matrix]


def test_the_qr_code_has_its_own_white_ground_and_a_name_that_cannot_break_out():
    svg = sepa.epc_qr_svg(to=HOUSE, reference=sepa.reference(1), label='"><script>')
    assert 'fill="#fff"' in svg
    assert 'class="qr"' in svg
    assert "<script>" not in svg
    assert ET.fromstring(svg).get("aria-label") == '"><script>'  # noqa: S314 - ours


@pytest.mark.parametrize("amount_micros", [0, -10_000, 5_000, 10**15])
def test_a_qr_code_asks_for_whole_cents_only(amount_micros):
    with pytest.raises(ValueError, match="not an amount"):
        sepa.epc_text(to=HOUSE, reference=sepa.reference(1), amount_micros=amount_micros)


# --- payment files ------------------------------------------------------------------------------


def test_a_payment_file_is_valid_and_sums_up():
    xml = file(to_bob(1, 1234), to_bob(2, 1), to_bob(3, 99_999_999_999))
    try_valid_xml(xml, "pain.001.001.09")
    assert values(xml, ".//GrpHdr/CtrlSum") == ["1000000012.34"]
    assert values(xml, ".//PmtInf/CtrlSum") == ["1000000012.34"]
    assert values(xml, ".//NbOfTxs") == ["3", "3"]
    assert values(xml, ".//InstdAmt") == ["12.34", "0.01", "999999999.99"]
    assert values(xml, ".//EndToEndId") == ["MK-P1", "MK-P2", "MK-P3"]
    assert values(xml, ".//Cdtr/Nm") == ["Bob Mueller-Luedenscheidt"] * 3
    assert values(xml, ".//DbtrAgt//BICFI") == ["BYLADEM1001"]
    assert values(xml, ".//ReqdExctnDt/Dt") == ["2026-12-07"]
    assert values(xml, ".//SvcLvl/Cd") == ["SEPA"]
    assert values(xml, ".//ChrgBr") == ["SLEV"]


def test_the_same_file_has_the_same_bytes_and_the_same_ids():
    assert file(to_bob()) == file(to_bob())
    assert values(file(to_bob()), ".//MsgId") == ["MK-20261204-7"]
    assert values(file(to_bob()), ".//PmtInfId") == ["MK-20261204-7"]
    assert values(file(to_bob()), ".//CreDtTm") == ["2026-12-04T09:30:00Z"]


def test_a_house_whose_bic_is_unknown_says_so():
    xml = file(to_bob(), debtor=sepa.Account("Hafenblatt", HOUSE.iban))
    assert values(xml, ".//DbtrAgt/FinInstnId/Othr/Id") == ["NOTPROVIDED"]


@limits(max_examples=25)
@given(st.text(min_size=1, max_size=200).filter(lambda text: sepa.latin(text) != ""))
def test_whatever_a_holder_is_called_the_file_is_well_formed(name):
    xml = file(to_bob(name=name))
    assert values(xml, ".//Cdtr/Nm") == [sepa.latin(name)]


@pytest.mark.parametrize(
    "transfers",
    [[], [to_bob(1), to_bob(1)], [to_bob(1, 0)], [to_bob(1, -1)], [to_bob(1, 10**11)]],
    ids=["none", "one id twice", "zero", "negative", "too much"],
)
def test_a_file_that_no_bank_takes_is_never_written(transfers):
    with pytest.raises(ValueError):
        file(*transfers)


def test_the_schema_is_asked_before_a_file_is_handed_out():
    with pytest.raises(ValidationError):
        file(sepa.Transfer("MK-P1", sepa.Account("Bob", "not an account"), 1, "Mickle"))
