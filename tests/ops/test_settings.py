"""What no setting may be stops the start with one sentence that names it, and says no secret."""

import errno
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from mickle.config import _environment
from mickle.ops import failures
from tests.ops.test_run import MICKLE, environment


def refused(data: Path, **named: str | bytes) -> str:
    """The one sentence of a start that was refused."""
    done = subprocess.run(
        [*MICKLE, "clock"],
        env=environment(data) | named,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite://:memory:",
        "sqlite:///file::memory:",
        "postgres://mickle:s3cr3t@db.example:port/mickle",
        "postgres://mickle:s3c[r3t@db.example/mickle",
        "s3cr3t://db.example/mickle",
        "s3cr3t",
    ],
)
def test_what_names_no_database_that_keeps_anything_is_refused(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match=r"DATABASE_URL (names no|cannot)") as why:
        _environment.database("sqlite:///x")
    assert "s3c" not in str(why.value)


def test_a_database_that_cannot_be_read_is_one_sentence(tmp_path):
    assert "DATABASE_URL cannot be read" in refused(tmp_path, DATABASE_URL="postgres://a:b@c:d/e")
    assert "nothing would be kept" in refused(tmp_path, DATABASE_URL="sqlite://")
    half = refused(tmp_path, DATABASE_URL="postgres://mickle:s3cr3t@db.example/")
    assert "DATABASE_URL names a server and no database there" in half
    assert "s3cr3t" not in half


@pytest.mark.parametrize(
    "named",
    [
        {"MICKLE_FEE_BASIS_POINTS": "10001"},
        {"MICKLE_FEE_BASIS_POINTS": "9" * 5000},
        {"MICKLE_CURRENCY_DECIMALS": "7"},
        {"MICKLE_CURRENCY": ""},
        {"MICKLE_GRACE_HOURS": "99999999999"},
        {"MICKLE_BUDGET_MIN": "0"},
        {"MICKLE_BUDGET_MIN": "200"},
        {"MICKLE_BUDGET_DEFAULT": "1.99"},
        {"MICKLE_BUDGET_DEFAULT": "100.01"},
        {"MICKLE_PAYOUT_MIN": "ten"},
        {"MICKLE_CHARGE_MIN": "-1"},
        {"MICKLE_FUNDS_MAX": "1.005"},
        {"MICKLE_BASE_URL": "nod.example.org"},
        {"MICKLE_BUTTON_ORIGIN": "https://nod.example.org/buttons"},
        {"MICKLE_TRUSTED_PROXIES": "proxy.example.org"},
        {"MICKLE_HOSTS": "localhost,https://nod.example.org"},
        {"MICKLE_HOSTS": "nod.example.org:8000"},
        {"MICKLE_BANK_IBAN": "DE03 1203 0000 0000 2020 51"},
        {"MICKLE_BANK_IBAN": "DE02 1203 0000"},
        {"MICKLE_BANK_BIC": "BYLADEM100"},
    ],
)
def test_what_a_setting_may_not_be_is_named(tmp_path, named):
    [name] = named
    assert re.match(rf"{name} (is|has|must be) ", refused(tmp_path, **named))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("MICKLE_FEE_BASIS_POINT", "MICKLE_FEE_BASIS_POINTS"),
        ("MICKLE_FEE", "MICKLE_FEE_BASIS_POINTS"),
        ("MICKLE_HOST", "MICKLE_HOSTS"),
        ("MICKLE_SMTP_PASWORD", "MICKLE_SMTP_PASSWORD"),
        ("MICKLE_archive", "MICKLE_ARCHIVE"),
        ("MICKLE_SMTP_PASWORD_FILE", "MICKLE_SMTP_PASSWORD_FILE"),
        ("MICKLE_SECRET_KEYFILE", "MICKLE_SECRET_KEY_FILE"),
        ("MICKLE_SECRET_KEY_FILES", "MICKLE_SECRET_KEY_FILE"),
    ],
)
def test_a_name_that_is_nearly_a_setting_is_not_passed_over(tmp_path, given, meant):
    assert refused(tmp_path, **{given: "s3cr3t"}) == f"{given} is no setting; {meant} is one.\n"


def test_names_that_others_set_are_passed_over(monkeypatch):
    """As Kubernetes does where a service is called “mickle”, and another “mickle-spark”."""
    kubernetes = ("PORT", "PORT_80_TCP_ADDR", "SERVICE_HOST", "SPARK_SERVICE_PORT")
    for name in (*kubernetes, "VERSION", "DATA_DIR", "ENV_FILE", "LOG_FILE", "PID_FILE"):
        monkeypatch.setenv(f"MICKLE_{name}", "x")
    _environment.no_other()


def test_a_key_that_can_be_guessed_is_refused(tmp_path):
    said = refused(tmp_path, MICKLE_SECRET_KEY="s3cr3t")
    assert said.startswith("MICKLE_SECRET_KEY has fewer than 32 signs, so it can be guessed. ")
    assert "s3cr3t" not in said


def test_a_bank_account_may_be_written_as_on_paper(monkeypatch):
    monkeypatch.setenv("MICKLE_BANK_IBAN", " de02 1203 0000 0000 2020 51 ")
    monkeypatch.setenv("MICKLE_BANK_BIC", "byla dem1 001")
    assert _environment.iban("BANK_IBAN") == "DE02120300000000202051"
    assert _environment.bic("BANK_BIC") == "BYLADEM1001"


def test_a_host_is_a_name_or_an_address(monkeypatch):
    monkeypatch.setenv("MICKLE_HOSTS", "localhost, .example.org,127.0.0.1,[::1],*,bücher.example")
    assert len(_environment.hosts("HOSTS")) == 6


def test_a_secret_in_another_encoding_is_not_said(tmp_path):
    (tmp_path / "secret").write_bytes(b"\xffs3cr3t")
    named = {"MICKLE_SMTP_HOST": "m", "MICKLE_SMTP_PASSWORD_FILE": str(tmp_path / "secret")}
    said = refused(tmp_path, **named)
    assert said == "MICKLE_SMTP_PASSWORD_FILE is not UTF-8 text.\n"


def test_a_file_of_a_setting_that_is_not_there_is_named(tmp_path):
    said = refused(tmp_path, MICKLE_SECRET_KEY_FILE="/none/there")
    assert said == (
        "MICKLE_SECRET_KEY_FILE names /none/there, and that cannot be read: "
        "No such file or directory.\n"
    )


def test_a_folder_whose_name_is_no_text_is_refused(tmp_path):
    named = os.fsencode(tmp_path) + b"/a\xff"
    assert "not UTF-8" in refused(tmp_path, MICKLE_DATA=named)


@pytest.mark.parametrize("kept", [b"", b"\n", b"\xff", b"half-of-it"])
def test_a_key_that_is_none_is_not_used(tmp_path, kept):
    (tmp_path / "secret-key").write_bytes(kept)
    assert f"{tmp_path}/secret-key holds no whole key" in refused(tmp_path)
    assert (tmp_path / "secret-key").read_bytes() == kept


def test_a_folder_of_somebody_else_is_said_with_what_to_do(tmp_path, monkeypatch):
    def denied(**_options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "secret-key-x1")

    monkeypatch.setattr(_environment.tempfile, "mkstemp", denied)
    with pytest.raises(ImproperlyConfigured) as why:
        _environment.secret_key(tmp_path)
    assert f"data folder {tmp_path} cannot be read or made (Permission denied)." in str(why.value)
    assert "as the user the folder belongs to" in str(why.value)


def test_a_file_for_the_key_that_is_empty_is_refused(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("")
    monkeypatch.setenv("MICKLE_SECRET_KEY_FILE", str(tmp_path / "mine"))
    with pytest.raises(ImproperlyConfigured, match="MICKLE_SECRET_KEY_FILE is empty"):
        _environment.secret_key(tmp_path)


def test_a_key_that_could_not_be_written_is_not_half_there(tmp_path, monkeypatch):
    def full(_number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as then:
        then.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space") as error:
            _environment.secret_key(tmp_path)
    assert failures.early(error.value) == "No space left on device. Nothing was changed."
    assert list(tmp_path.iterdir()) == []
    assert len(_environment.secret_key(tmp_path)) == 64


@pytest.mark.parametrize("links", [True, False])
def test_all_who_begin_at_once_have_one_key(tmp_path, monkeypatch, links):
    def none(_new: str, _path: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if links:
        with ThreadPoolExecutor(8) as pool:
            keys = list(pool.map(_environment.secret_key, [tmp_path] * 40))
    else:
        monkeypatch.setattr(os, "link", none)
        keys = [_environment.secret_key(tmp_path) for _turn in range(3)]
    assert len(set(keys)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_what_is_typed_goes_before_a_file_that_names_the_folder(tmp_path):
    (tmp_path / "named").write_text(str(tmp_path / "other"))
    done = subprocess.run(
        [*MICKLE, "clock", "--data", str(tmp_path / "typed"), "--help"],
        env=environment(tmp_path) | {"MICKLE_DATA_FILE": str(tmp_path / "named")},
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0
    assert (tmp_path / "typed").exists()
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyboardInterrupt(), "Stopped. Nothing was changed."),
        (ValueError("s3cr3t"), "The settings cannot be read (ValueError). Nothing was changed."),
        (
            ImportError("no module"),
            "The settings cannot be read (ImportError: no module). Nothing was changed.",
        ),
    ],
)
def test_before_the_settings_are_read_there_is_a_sentence_too(error, said):
    assert failures.early(error) == said


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("kept", "/here/kept"),
        ("~/kept/", "/home/kept"),
        ("/kept", "/kept"),
        ("s3://bucket/kept/", "s3://bucket/kept"),
        ("", ""),
    ],
)
def test_a_folder_is_the_same_for_whoever_begins_elsewhere(monkeypatch, tmp_path, given, found):
    for name in ("here", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MICKLE_ARCHIVE", given)
    there = found.replace("/h", f"{tmp_path}/h")
    assert _environment.folder("ARCHIVE") == there
