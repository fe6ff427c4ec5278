"""The trees of RFC 9162: its own words done naively, known vectors, and every bit of a proof."""

import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mickle.lib import merkle

# The leaves and roots that implementations of Certificate Transparency test each other with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def naive_split(size: int) -> int:
    """The largest power of two smaller than the size."""
    return max(2**n for n in range(64) if 2**n < size)


def naive_root(entries: list[bytes]) -> bytes:
    """Section 2.1.1, word for word."""
    if not entries:
        return sha256(b"")
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0])
    k = naive_split(len(entries))
    return sha256(b"\x01" + naive_root(entries[:k]) + naive_root(entries[k:]))


def naive_path(m: int, entries: list[bytes]) -> list[bytes]:
    """Section 2.1.3.1, word for word."""
    if len(entries) == 1:
        return []
    k = naive_split(len(entries))
    if m < k:
        return [*naive_path(m, entries[:k]), naive_root(entries[k:])]
    return [*naive_path(m - k, entries[k:]), naive_root(entries[:k])]


def hashed(entries: list[bytes]) -> list[bytes]:
    return [merkle.leaf(one) for one in entries]


def test_roots_are_the_known_ones():
    for size, known in enumerate(ROOTS):
        assert merkle.root(hashed(LEAVES[:size])).hex() == known


@pytest.mark.parametrize(("place", "size"), PATHS)
def test_paths_are_the_known_ones(place, size):
    found = merkle.path(hashed(LEAVES[:size]), place)
    assert [one.hex() for one in found] == PATHS[place, size]


def test_every_leaf_of_every_tree_is_proved():
    entries = [b"%d" % n for n in range(67)]
    for size in range(67):
        some = entries[:size]
        leaves, root = hashed(some), naive_root(some)
        assert merkle.root(leaves) == root
        for place, leaf in enumerate(leaves):
            beside = merkle.path(leaves, place)
            assert beside == naive_path(place, some)
            assert merkle.climb(leaf, place=place, size=size, beside=beside) == root


def test_there_is_no_path_from_where_no_leaf_is():
    leaves = hashed(LEAVES[:5])
    for place in (-1, 5, 6, 10**30):
        with pytest.raises(IndexError):
            merkle.path(leaves, place)
        assert merkle.climb(leaves[0], place=place, size=5, beside=[]) is None
    assert merkle.climb(merkle.EMPTY, place=0, size=0, beside=[]) is None


def flipped(data: bytes, bit: int) -> bytes:
    """The bytes with one bit changed, wherever in them it falls."""
    bit %= len(data) * 8
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(
    st.integers(1, 300).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))),
    st.integers(0, 2**20),
)
@example((1, 0), 0)
def test_one_changed_bit_of_a_leaf_or_a_path_comes_to_another_root(where, bit):
    size, place = where
    leaves = hashed([b"%d" % n for n in range(size)])
    beside, root = merkle.path(leaves, place), merkle.root(leaves)
    at = flipped(leaves[place], bit)
    assert merkle.climb(at, place=place, size=size, beside=beside) != root
    for row in range(len(beside)):
        other = [*beside[:row], flipped(beside[row], bit), *beside[row + 1 :]]
        assert merkle.climb(leaves[place], place=place, size=size, beside=other) != root


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_another_place_or_length_comes_to_no_root_or_another(where):
    size, place = where
    leaves = hashed([b"%d" % n for n in range(size)])
    beside, root = merkle.path(leaves, place), merkle.root(leaves)

    def climbed(place: int, beside: list[bytes]) -> bytes | None:
        return merkle.climb(leaves[where[1]], place=place, size=size, beside=beside)

    for other in range(size + 3):
        assert (climbed(other, beside) == root) is (other == place)
    assert climbed(place, [*beside, root]) is None
    if beside:
        assert climbed(place, beside[:-1]) is None
        assert climbed(place, beside[1:]) != root


@given(st.lists(st.binary(max_size=40), max_size=40), st.lists(st.binary(max_size=40), max_size=40))
@example([b"a", b"b"], [b"\x01"])
def test_two_lists_have_one_root_only_if_they_are_one(one, other):
    roots = [merkle.root(hashed(entries)) for entries in (one, other)]
    assert (roots[0] == roots[1]) is (one == other)
