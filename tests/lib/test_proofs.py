"""The texts of a proof and its files: strictly read, and every changed bit of them is found."""

import json
import secrets
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mickle.lib import merkle, proof_files, proofs
from mickle.lib.errors import Refused
from mickle.lib.proofs import Head

KEY = bytes(range(32))
TEXTS = [
    "share 2026-11 1 1666667 v1:a.example/",
    "share 2026-11 3 5000000 v1:b.example/ü?q=1 2",
    "share 2026-11 1 0 v1:c.example/",
]
HEAD = Head(
    month="2026-11",
    currency="EUR",
    members=7,
    shares=40,
    given=35_000_000,
    paid=None,
    fee=None,
    waiting=0,
    charity=5_000_000,
    pool=0,
    before="3" * 64,
    input="0" * 64,
    output="1" * 64,
    tree="2" * 64,
)


def made(members: int = 7, place: int = 4) -> dict[str, object]:
    """A member's file in a tree with strangers."""
    salt = proofs.salt(KEY, 12)
    leaves = [secrets.token_bytes(32) for _stranger in range(members)]
    leaves[place] = proofs.member_leaf(salt, proofs.lines_root(TEXTS))
    head = replace(HEAD, members=members, tree=merkle.root(leaves).hex())
    beside = merkle.path(leaves, place)
    return proof_files.of_shares(head, salt=salt, place=place, beside=beside, shares=TEXTS)


def checked(content: bytes) -> proof_files.OfShares:
    found = proof_files.read(content)
    assert isinstance(found, proof_files.OfShares)
    proof_files.sum_micros(found)
    proof_files.check(found)
    return found


def as_bytes(file: dict[str, object]) -> bytes:
    return json.dumps(file, ensure_ascii=False).encode()


def test_a_text_is_what_the_reference_says():
    assert proofs.shares("2026-11", [(1, 416_667, "v1:a.example/")]) == [
        "share 2026-11 1 416667 v1:a.example/"
    ]
    assert proofs.gift("2026-11", 5_000_000, "library") == "gift 2026-11 5000000 library"
    assert proofs.amount_of("share 2026-11 1 416667 v1:a.example/ b") == ("2026-11", 416_667)
    assert proofs.amount_of("gift 2026-11 5000000 library") == ("2026-11", 5_000_000)


@pytest.mark.parametrize(
    "text",
    [
        *("", "share", "share 2026-11 1 416667", "share 2026-11 1 416667 ", "gift 2026-11 5"),
        *("share 2026-13 1 5 a", "share 2026-11 0 5 a", "share 2026-11 1 05 a", "Share 2026-11 1"),
        *("share 2026-11 1 -5 a", "share 2026-11 1 5 a\nb", "share 2026-11 1 ٥ a", " share"),
        "share 2026-11 1 9999999999999999999 a",
    ],
)
def test_another_text_is_no_share(text):
    assert proofs.amount_of(text) is None


def test_the_root_of_a_month_stands_for_every_fact():
    assert proofs.read_head(HEAD.text) == HEAD
    assert HEAD.text.count("\n") == 15
    assert "paid -\n" in HEAD.text
    others = {replace(HEAD, **{name: None}).root for name in ("given", "waiting", "charity")}
    others |= {replace(HEAD, members=8).root, replace(HEAD, tree="3" * 64).root}
    others |= {replace(HEAD, before=None).root, replace(HEAD, before="4" * 64).root}
    assert len(others | {HEAD.root}) == 8


@given(st.integers(0, len(HEAD.text) - 1), st.sampled_from("\n -0aZ\0é"))
def test_a_text_with_another_letter_is_another_month_or_none(place, letter):
    text = HEAD.text[:place] + letter + HEAD.text[place + 1 :]
    try:
        found = proofs.read_head(text)
    except proofs.NotAHead:
        return
    # Whatever is read is written the same, so no two texts say one thing.
    assert found.text == text
    assert (found.root == HEAD.root) is (text == HEAD.text)


@pytest.mark.parametrize("members", [1, 2, 3, 7, 64, 65])
def test_a_file_is_right_at_every_place(members):
    for place in range(members):
        found = checked(as_bytes(made(members, place)))
        assert found.shares == TEXTS
        assert proof_files.sum_micros(found) == 6_666_667


def test_every_changed_bit_of_a_file_is_found_or_changes_nothing_it_says():
    """All of them, one after the other: what is read is refused, or is what it was."""
    content = as_bytes(made())
    right = checked(content)
    found = 0
    for bit in range(len(content) * 8):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            seen = checked(bytes(changed))
        except Refused:
            found += 1
        else:
            # A blank between two fields that became another blank, or a letter of another case.
            assert seen == right
    assert found > len(content) * 7.9


def fields() -> list[str]:
    return list(made())


@pytest.mark.parametrize("name", fields())
@pytest.mark.parametrize(
    "value", [None, True, -1, 1.5, 2**64, "x", "\ud800", [], [1], ["\ud800"], {}, [[]], "0" * 64]
)
def test_a_field_of_another_kind_is_refused_in_a_sentence(name, value):
    file = made()
    file[name] = value
    with pytest.raises(Refused, match=r"^[A-Z].*\.$"):
        checked(json.dumps(file).encode())
    del file[name]
    with pytest.raises(proof_files.Malformed, match="is missing"):
        checked(json.dumps(file).encode())


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b"1", b'"x"', b"\xff\xfe", b"{}", b'{"mickle": "x"}'),
        *(b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5_000, b'{"mickle": NaN}'),
        b"\x00" * 10,
    ],
)
def test_what_is_no_proof_is_refused_in_a_sentence(content):
    with pytest.raises(proof_files.Malformed, match=r"^This is no .*\.$"):
        proof_files.read(content)


def test_a_file_that_names_something_twice_is_not_read_two_ways():
    content = as_bytes(made())
    lie = b'{"shares": ["share 2026-11 1 9000000 v1:a.example/"], '
    assert checked(content)
    with pytest.raises(proof_files.Malformed, match="twice"):
        proof_files.read(lie + content[1:])


def test_what_is_too_large_is_not_even_read():
    with pytest.raises(proof_files.Malformed, match="more than"):
        proof_files.read(b" " * (proof_files.LIMIT_BYTES + 1))


@pytest.mark.parametrize("cut", range(0, 100, 7))
def test_a_file_that_was_cut_off_is_refused(cut):
    content = as_bytes(made())
    with pytest.raises(proof_files.Malformed):
        proof_files.read(content[: len(content) * cut // 100])


def test_shares_left_out_added_or_moved_are_found():
    for shares in (TEXTS[:2], [*TEXTS, TEXTS[0]], TEXTS[::-1], []):
        with pytest.raises(proof_files.Wrong):
            checked(as_bytes(made() | {"shares": shares}))


def test_a_share_of_another_month_is_found_whatever_it_is_hashed_with():
    file = made()
    file["shares"] = [text.replace("2026-11", "2026-10") for text in TEXTS]
    with pytest.raises(proof_files.Wrong, match="not of 2026-11"):
        checked(as_bytes(file))


def test_the_file_of_a_month_is_read_and_its_figures_are_those_of_its_text():
    file = proof_files.of_month(HEAD, engine="test")
    assert proof_files.read(as_bytes(file)) == proof_files.OfMonth(HEAD, HEAD.root)
    figures = {**file["figures"], "given": 35_000_001}
    for changed in (figures, None, {**file["figures"], "pool": False}):
        with pytest.raises(proof_files.Wrong, match="figures"):
            proof_files.read(as_bytes(file | {"figures": changed}))


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(ANY)
def test_any_json_is_refused_without_a_traceback(value):
    for content in (json.dumps(value), json.dumps({"mickle": value, "version": value})):
        with pytest.raises(Refused):
            proof_files.read(content.encode())
