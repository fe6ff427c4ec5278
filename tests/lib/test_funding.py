"""What a site's own files say about how to fund it, and that no file crashes or holds up a look."""

import time

import pytest

from mickle.lib import funding

HERE = "https://mickle.example/people/bob"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"github: bob\ncustom: {HERE}", [HERE]),
        (f'custom: ["{HERE}", https://x.example/]', [HERE, "https://x.example/"]),
        (f"custom:\n- {HERE}\n- [{HERE}]\n", [HERE]),
        ("custom: {}", []),
        ("- custom", []),
        ("custom: [", []),
        ("", []),
    ],
)
def test_the_addresses_of_a_funding_yml(text, found):
    assert funding.custom(text) == found


@pytest.mark.parametrize(
    "odd",
    [
        '!!int ""',
        '!!float ""',
        "!!bool x",
        "!!timestamp x",
        "!!binary é",
        "2001-99-99",
        "&a [*a]",
        "{[]: x}",
        "1" * 5_000,
        ":".join(["59"] * 1_000),
        "[" * 5_000,
        "!!python/object/apply:os.getcwd []",
    ],
)
def test_an_odd_value_is_none_of_them_and_nothing_worse(odd):
    assert HERE not in funding.custom(f"custom: {odd}")
    assert funding.custom(f"custom: {HERE}\nother: {odd}") in ([HERE], [])


def test_a_mebibyte_of_it_is_not_read():
    began = time.monotonic()
    assert funding.custom(f"custom: {HERE}\nlist:\n" + "- a\n" * (1 << 18)) == []
    assert time.monotonic() - began < 1
