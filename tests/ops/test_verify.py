"""`mickle verify`: right, wrong and no proof at all, without an instance, a setting or a trace."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mickle.lib import merkle, proof_files, proofs
from mickle.lib.proofs import Head
from mickle.ops.main import main
from tests.ops.worlds import Terminal

KEY = bytes(range(32))
TEXTS = ["share 2026-11 1 3000000 v1:a.example/", "share 2026-11 1 2000000 v1:b.example/"]


@pytest.fixture
def mickle(capsys) -> Terminal:
    return Terminal(capsys)


def head(tree: bytes, members: int) -> Head:
    sums = {"given": 15_000_000, "paid": 15_000_000, "fee": 1_500_000, "waiting": 0, "charity": 0}
    hashes = {"input": "0" * 64, "output": "1" * 64, "tree": tree.hex()}
    return Head("2026-11", "EUR", members, 6, **sums, pool=0, before=None, **hashes)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, str]:
    """A member's file, the month's, and the root of both."""
    salt = proofs.salt(KEY, 5)
    leaves = [merkle.leaf(b"one"), proofs.member_leaf(salt, proofs.lines_root(TEXTS))]
    leaves.append(merkle.leaf(b"three"))
    month = head(merkle.root(leaves), 3)
    beside = merkle.path(leaves, 1)
    own = proof_files.of_shares(month, salt=salt, place=1, beside=beside, shares=TEXTS)
    paths = tmp_path / "own.json", tmp_path / "month.json"
    paths[0].write_text(json.dumps(own))
    paths[1].write_text(json.dumps(proof_files.of_month(month, engine="test")))
    return *paths, month.root


def test_it_says_what_it_checked_in_sentences(mickle, files):
    own, month, root = files
    assert mickle("verify", str(own), "--json-of", str(month), "--root", root.upper()) == 0
    assert mickle.out.splitlines() == [
        "2 shares of 2026-11, together 5.000000 EUR.",
        "They are in the tree of the month, at place 2 of 3.",
        f"The month and its tree come to the root {root}.",
        (
            "It stands for 3 members and 6 shares: given 15.000000 EUR, paid 15.000000 EUR, "
            "fee 1.500000 EUR, waiting 0.000000 EUR, charity 0.000000 EUR."
        ),
        "That is the root you gave.",
        f"That is the root in {month}.",
    ]


def test_without_a_root_to_compare_it_says_so(mickle, files):
    assert mickle("verify", str(files[0])) == 0
    assert mickle.out.splitlines()[-1].startswith("Now compare the root")
    assert mickle("verify", str(files[1])) == 0
    assert "shares of 2026-11" not in mickle.out


def test_the_shares_are_named_when_asked_for_and_rule_no_terminal(mickle, tmp_path):
    texts = [TEXTS[0], "share 2026-11 1 2000000 v1:b.example/\x1b[2J\u202e"]
    salt = proofs.salt(KEY, 5)
    tree = proofs.member_leaf(salt, proofs.lines_root(texts))
    own = proof_files.of_shares(head(tree, 1), salt=salt, place=0, beside=[], shares=texts)
    path = tmp_path / "own.json"
    path.write_text(json.dumps(own))
    assert mickle("verify", str(path), "--list") == 0
    assert mickle.out.splitlines()[2:4] == [
        f"  {TEXTS[0]}",
        r"  'share 2026-11 1 2000000 v1:b.example/\x1b[2J\u202e'",
    ]


@pytest.mark.parametrize("currency", ["\x1b[1A\x1b[2K", "\u202eRUE", "5.00"])
def test_what_no_currency_is_called_is_none_and_rules_no_terminal(mickle, files, currency):
    """It stands behind every amount that is said."""
    month = replace(head(merkle.leaf(b"one"), 3), currency=currency)
    files[1].write_text(json.dumps(proof_files.of_month(month)))
    assert "its line of “currency” is not one" in mickle.refused("verify", str(files[1]))


def test_another_root_is_wrong(mickle, files):
    own, month, root = files
    assert "64 digits" in mickle.refused("verify", str(own), "--root", root[:-1])
    other = root[:-1] + ("0" if root[-1] != "0" else "1")
    assert f"you gave {other}" in mickle.refused("verify", str(own), "--root", other)
    found = json.loads(month.read_text())
    later = head(merkle.leaf(b"other"), 3)
    month.write_text(json.dumps(found | proof_files.of_month(later)))
    assert later.root in mickle.refused("verify", str(own), "--json-of", str(month))
    assert "not the file of a month" in mickle.refused("verify", str(month), "--json-of", str(own))


def test_a_share_that_was_changed_is_wrong(mickle, files):
    own = files[0]
    own.write_text(own.read_text().replace("3000000", "3000001"))
    assert "come to the tree" in mickle.refused("verify", str(own))


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "empty", "device", "binary", "huge"])
def test_what_is_no_file_of_a_proof_is_a_sentence(mickle, tmp_path, kind):
    path = tmp_path / "it"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(10**12)
    elif kind != "missing":
        path.write_bytes(b"" if kind == "empty" else os.urandom(5_000))
    assert mickle.refused("verify", str(path)).endswith(".")


def test_stopping_it_is_said(mickle, files, monkeypatch):
    def stop(_content: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(proof_files, "read", stop)
    assert mickle.refused("verify", str(files[0])) == "Stopped. Nothing was decided."


def test_what_nobody_foresaw_is_a_sentence_too(mickle, files, monkeypatch):
    def broken(_content: bytes) -> None:
        raise ZeroDivisionError("by\nnought")

    monkeypatch.setattr(proof_files, "read", broken)
    assert "ZeroDivisionError: by nought" in mickle.refused("verify", str(files[0]))


@pytest.mark.parametrize("words", [[], ["a", "b"], ["a", "--root"], ["a", "--yaml"]])
def test_misuse_is_exit_2(capsys, words):
    assert main(["verify", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_it_needs_no_settings_no_home_and_no_database(files, tmp_path):
    """In a process of its own, where reading the settings would fail and a folder would be seen."""
    own, month, root = files
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    env = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "MICKLE_CURRENCY_DECIMALS": "nonsense",
        "DATABASE_URL": "mysql://nowhere/",
        "MICKLE_DATA": str(home / "data"),
    }
    code = "import sys; from mickle.ops.main import main; sys.exit(main())"

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, "verify", *words]
        return subprocess.run(
            command, check=False, env=env, cwd=tmp_path, capture_output=True, text=True
        )

    right = run(str(own), "--json-of", str(month))
    assert (right.returncode, right.stderr) == (0, "")
    assert root in right.stdout
    wrong = run(str(own), "--root", "0" * 64)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    helped = run("--help")
    assert helped.returncode == 0
    assert "Example:" in helped.stdout
    for words in (["nothing.json"], [str(home)]):
        gone = run(*words)
        assert (gone.returncode, gone.stderr.count("\n")) == (1, 1)
    assert list(home.iterdir()) == []
