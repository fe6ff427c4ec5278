"""Where Spark is: tried before anything is done, and said without what nobody else may know."""

import socket
from collections.abc import Iterator

import pytest

from mickle.settlement import _spark, settlement
from tests.browser.conftest import free_port


@pytest.fixture(autouse=True)
def _java(monkeypatch):
    monkeypatch.setattr(_spark.shutil, "which", lambda _program: "/usr/bin/java")


@pytest.fixture
def answers() -> Iterator[int]:
    """A port at which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    "address",
    [
        "sc://127.0.0.1:{port}/;use_ssl=true;token=s3cret",
        "sc://127.0.0.1:{port};token=s3cret",
        "sc://s3cret@127.0.0.1:{port}",
        "sc://127.0.0.1:{port}/?token=s3cret",
        "sc://127.0.0.1:{port}\n;s3cret",
    ],
)
def test_nobody_is_told_the_token_of_a_cluster_that_is_down(settings, address):
    port = free_port()
    settings.SPARK = address.format(port=port)
    with pytest.raises(settlement.NoSpark, match="Nothing was changed") as told:
        _spark.must_be_reached()
    assert f"sc://127.0.0.1:{port}" in str(told.value)
    assert "s3cret" not in str(told.value)


def test_a_token_is_no_part_of_where_a_cluster_is(settings, answers):
    settings.SPARK = f"sc://127.0.0.1:{answers}/;token=s3cret"
    _spark.must_be_reached()


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_masters_one_has_to_answer(settings, answers, order):
    hosts = [f"127.0.0.1:{free_port()}", f"127.0.0.1:{answers}"][::order]
    settings.SPARK = f"spark://{','.join(hosts)}"
    _spark.must_be_reached()


def test_where_none_of_several_masters_answers_all_are_said(settings):
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{free_port()}"
    settings.SPARK = f"spark://{hosts}"
    with pytest.raises(settlement.NoSpark, match=f"spark://{hosts}.*refused"):
        _spark.must_be_reached()


@pytest.mark.parametrize("address", ["spark://127.0.0.1:many", "spark://[::1:7077", "spark://"])
def test_what_is_no_address_is_said_in_a_sentence(settings, address):
    settings.SPARK = address
    with pytest.raises(settlement.NoSpark, match=r"cannot be reached at spark://.*MICKLE_SPARK"):
        _spark.must_be_reached()


@pytest.mark.parametrize("address", ["local[*]", "yarn"])
def test_what_names_no_machine_is_left_to_spark(settings, address):
    settings.SPARK = address
    _spark.must_be_reached()
