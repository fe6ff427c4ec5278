"""Serving everything in one process."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.test import override_settings

from mickle.ops import serving
from tests.browser.conftest import free_port
from tests.migrated import begin_with_tables

MICKLE = [sys.executable, "-c", "import sys; from mickle.ops.main import main; sys.exit(main())"]


def environment(data: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "MICKLE_DATA": str(data), "PYTHONPATH": os.pathsep.join(sys.path)}


class Process:
    """`mickle run` on a free port."""

    def __init__(self, data: Path, *words: str, env: dict[str, str] | None = None) -> None:
        begin_with_tables(data)
        self.process = subprocess.Popen(
            [*MICKLE, "run", "--port", "0", *words],
            env=environment(data) | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        self.where = self.line_with("http://").split(" is at ")[1].split()[0]

    def line_with(self, word: str) -> str:
        for line in self.process.stdout:
            self.said += line
            if word in line:
                return line
        raise AssertionError(self.said)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        for _try in range(100):
            try:
                with urlopen(Request(self.where + path, headers=headers), timeout=20) as answer:
                    headers = {name.lower(): value for name, value in answer.headers.items()}
                    return answer.status, headers, answer.read()
            except ConnectionError:
                time.sleep(0.05)
        raise AssertionError("no answer")

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        self.said += self.process.stdout.read()
        code = self.process.wait(20)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("served"))
    yield process
    assert process.end(signal.SIGTERM) == 0, process.said


def test_the_first_page_comes_within_ten_seconds_of_work(served):
    """Of the process's own: how busy the machine is decides no test."""
    status, headers, body = served.get("/")
    facts = Path(f"/proc/{served.process.pid}/stat").read_text().rpartition(")")[2].split()
    assert (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK") < 10
    assert status == 200
    assert b"<html" in body
    assert "server" not in headers


def test_the_first_operator_gets_a_link_that_is_told_once(served):
    link = served.line_with("/setup/")
    token = re.search(r"/setup/(\S+)$", link.strip())[1]
    assert len(token) > 30
    assert served.get(f"/setup/{token}")[0] == 200


def test_counts_are_answered_beside_the_pages(served):
    status, headers, body = served.get("/b/count?url=https://a.example/", Cookie="x=y")
    assert (status, body) == (200, b'{"id": null, "url": "https://a.example/", "count": 0}')
    assert "set-cookie" not in headers
    assert served.get("/b/count.svg?id=1")[2].startswith(b"<svg")


def test_static_files_come_from_the_package(served):
    page = served.get("/")[2].decode()
    path = re.search(r'href="(/static/[^"]+\.css)"', page)[1]
    status, headers, _body = served.get(path)
    assert status == 200
    assert headers["content-type"].startswith("text/css")


def test_odd_letters_in_an_address_are_no_failure(served):
    with socket.create_connection(("127.0.0.1", int(served.where.rsplit(":", 1)[1]))) as raw:
        raw.sendall(b"GET /?q=\xe4\xb8 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert raw.recv(100).split(b" ")[1] in (b"200", b"400")


def test_the_process_stays_small(served):
    served.get("/")
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    assert int(re.search(r"VmRSS:\s+(\d+)", status)[1]) < 150_000


def test_it_holds_as_many_sockets_as_the_machine_allows(served):
    limits = Path(f"/proc/{served.process.pid}/limits").read_text()
    soft, hard = re.search(r"Max open files\s+(\d+)\s+(\d+)", limits).groups()
    assert soft == hard


def test_ctrl_c_ends_it_in_order(tmp_path):
    process = Process(tmp_path)
    assert process.get("/")[0] == 200
    assert process.end(signal.SIGINT) == 0
    assert "Traceback" not in process.said
    assert "Error" not in process.said


def test_a_taken_port_is_said_in_a_sentence(db, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(serving.CannotServe, match=f"Port {port} is taken; choose another"):
            serving.bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "mickle.example", ""])  # noqa: S104
def test_a_host_beyond_loopback_needs_tls_in_front(host):
    with pytest.raises(serving.CannotServe, match="MICKLE_BASE_URL=https://"):
        serving.check_host(host)
    with override_settings(BASE_URL="https://mickle.example"):
        serving.check_host(host)
    with override_settings(BASE_URL="http://mickle.example"), pytest.raises(serving.CannotServe):
        serving.check_host(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
def test_loopback_needs_no_tls(host):
    serving.check_host(host)


def test_a_place_where_nothing_can_listen_is_said():
    with pytest.raises(serving.CannotServe, match=r"Nothing can listen at 192\.0\.2\.7, port 0: "):
        serving.bind("192.0.2.7", 0)


def test_the_address_is_the_one_people_see():
    with serving.bind("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        assert serving.address("localhost", listening) == f"http://localhost:{port}"
        with override_settings(BASE_URL="https://mickle.example"):
            assert serving.address("127.0.0.1", listening) == "https://mickle.example"


def run(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MICKLE, *words], env=environment(data), capture_output=True, text=True, check=False
    )


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    done = run(tmp_path, "balance", "x", "--data", str(tmp_path / "file" / "data"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    folder = tmp_path / "file" / "data"
    assert done.stderr.startswith(f"The data folder {folder} cannot be made (Not a directory). ")
    assert "Nothing was changed; name another with --data" in done.stderr


def test_each_data_folder_is_an_instance_that_migrates_itself_and_says_that_it_is_new(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    first, second = (run(one, "clock", "--data", str(two)) for _time in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert (two / "mickle.sqlite3").exists()
    assert not one.exists()
    assert first.stderr == (
        f"There was no instance in {two}/mickle.sqlite3, so an empty one was made. If you meant "
        "another, name it with --data, MICKLE_DATA or DATABASE_URL.\n"
    )
    assert second.stderr == ""


KILLED = """
import os
from django.core.management.commands import migrate
from mickle.ops.main import main
migrate.emit_post_migrate_signal = lambda *_words, **_facts: os._exit(9)
main(["clock"])
"""


def test_a_first_start_that_is_killed_before_the_triggers_is_made_good(tmp_path):
    killed = [sys.executable, "-c", KILLED]
    done = subprocess.run(killed, env=environment(tmp_path), check=False, capture_output=True)
    assert done.returncode == 9, done.stderr
    audited = run(tmp_path, "audit")
    assert audited.returncode == 0, audited.stderr


def test_a_reader_who_has_had_enough_is_no_failure(tmp_path):
    begin_with_tables(tmp_path)
    assert run(tmp_path, "clock").returncode == 0
    process = subprocess.Popen(
        [*MICKLE, "audit"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0
    process.stderr.close()


def test_two_processes_serve_as_one(tmp_path):
    process = Process(tmp_path, "--workers", "2")
    assert process.get("/b/count?id=1")[0] == 200
    assert process.get("/")[0] == 200
    assert process.end(signal.SIGINT) == 0
    assert "Traceback" not in process.said, process.said


# What is told to end as soon as it listens, before uvicorn runs.
ENDED_EARLY = """
import os, signal, sys, threading
from mickle.ops import main
start = threading.Thread.start
def told(thread):
    if thread.name == "worker":
        os.kill(os.getpid(), signal.SIGTERM)
    start(thread)
threading.Thread.start = told
sys.exit(main.main())
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_who_is_told_to_end_while_it_begins_ends(tmp_path, workers):
    words = ("run", "--port", "0", "--workers", workers)
    begin_with_tables(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", ENDED_EARLY, *words],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _nothing = process.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said
    assert " is at http://" in said
    assert "Traceback" not in said


def test_it_answers_to_the_hosts_of_its_own_addresses(tmp_path):
    port = free_port()
    origins = {
        "MICKLE_BASE_URL": "http://nod.example.org",
        "MICKLE_BUTTON_ORIGIN": "http://button.example.org:8443",
    }
    process = Process(tmp_path, "--port", str(port), env=origins)
    process.where = f"http://127.0.0.1:{port}"
    for host, path in (
        ("nod.example.org", "/"),
        ("button.example.org:8443", "/b/b.js"),
        ("localhost", "/"),
    ):
        assert process.get(path, Host=host)[0] == 200, host
    with pytest.raises(HTTPError, match="400"):
        process.get("/", Host="evil.example")
    assert process.end(signal.SIGTERM) == 0
