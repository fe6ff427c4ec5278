"""What programs of sites are told goes encrypted to that very address, and is kept nowhere."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from mickle.lib import fetch
from mickle.lib.fetch import Call, Forbidden, Limits, Told, Unreachable
from tests.lib.street import AGENT, House, fetcher, house, page, to

JSON = "application/json"
SECRET = "a-secret-of-27-characters!!"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def there(authority) -> Iterator[House]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    with house({"/": page(b'{"a": 1}', kind=JSON)}) as found:
        found.wrap = lambda sock: server.wrap_socket(sock, server_side=True)
        yield found


@pytest.fixture
def one(tmp_path, there, authority) -> fetch.Fetcher:
    return caller(tmp_path, there, authority)


def caller(folder: Path, there: House, authority: trustme.CA, **more: object) -> fetch.Fetcher:
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return fetcher(folder, ("127.0.0.1", there.port), tls=client, **more)


def at(there: House, path: str = "/") -> str:
    return f"https://127.0.0.1:{there.port}{path}"


def test_a_form_is_sent_and_its_answer_told(one, there):
    form = {"code": "a b&c=d", "secret": SECRET}
    assert one.call(Call(at(there), "POST", form)) == Told(200, '{"a": 1}')
    head = there.heads[0]
    assert head.startswith("POST / HTTP/1.1\r\n")
    assert "\r\nContent-Type: application/x-www-form-urlencoded\r\n" in head
    assert there.bodies[0] == f"code=a+b%26c%3Dd&secret={SECRET[:-2]}%21%21"
    assert f"\r\nUser-Agent: {AGENT}\r\n" in head
    assert "Authorization" not in head


def test_a_token_or_a_name_with_its_password_stands_in_one_header(one, there):
    one.call(Call(at(there), bearer=SECRET))
    one.call(Call(at(there), "DELETE", json={"access_token": "x"}, basic=("id", "secret")))
    assert f"\r\nAuthorization: Bearer {SECRET}\r\n" in there.heads[0]
    assert "\r\nAuthorization: Basic aWQ6c2VjcmV0\r\n" in there.heads[1]
    assert there.heads[1].startswith("DELETE / HTTP/1.1\r\n")
    assert json.loads(there.bodies[1]) == {"access_token": "x"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_call_is_never_sent_on(one, there, status):
    there.pages["/"] = to("/elsewhere", f"{status} Moved")
    with pytest.raises(Forbidden, match="sends programs on"):
        one.call(Call(at(there), "POST", {"secret": SECRET}))
    assert there.asked == ["/"]


def test_a_secret_is_never_told_without_encryption(one, there):
    with pytest.raises(Forbidden, match="without encryption") as why:
        one.call(Call(there.url(), "POST", {"secret": SECRET}))
    assert SECRET not in str(why.value)
    assert there.asked == []


def test_who_cannot_prove_its_name_is_told_nothing(tmp_path, there):
    stranger = caller(tmp_path, there, trustme.CA())
    with pytest.raises(Unreachable, match="could not prove who it is"):
        stranger.call(Call(at(there), "POST", {"secret": SECRET}))
    assert there.asked == []


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://a@b.example/"],
)
def test_a_call_goes_where_a_page_could_be_read_and_nowhere_else(one, there, url):
    with pytest.raises(Forbidden):
        one.call(Call(url, "POST", {"secret": SECRET}))
    assert there.asked == []


@pytest.mark.parametrize("line", ["x\r\nX-Evil: 1", "x\ny", "x\0"])
def test_a_token_writes_no_header_of_its_own(one, there, line):
    with pytest.raises(Unreachable):
        one.call(Call(at(there), bearer=line))
    assert not any("X-Evil" in head for head in there.heads)


def test_nothing_is_kept_nor_said_of_what_was_told(one, there, tmp_path):
    there.pages["/"] = page(SECRET.encode(), kind=JSON)
    for _turn in range(2):
        one.call(Call(at(there), "POST", {"secret": SECRET}, bearer=SECRET))
    assert len(there.asked) == 2
    there.pages["/"] = page(SECRET.encode(), status="503 No")
    with pytest.raises(Unreachable) as why:
        one.call(Call(at(there), "POST", {"secret": SECRET}))
    assert SECRET not in str(why.value)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in path.read_bytes() for path in kept)
    assert list((tmp_path / "pages").iterdir()) == []


def test_an_answer_is_whole_or_none(tmp_path, there, authority):
    there.pages["/"] = page(b"x" * 2_000, kind=JSON)
    few = caller(tmp_path, there, authority, limits=Limits(text_bytes=1_000))
    with pytest.raises(Forbidden, match="more than is read"):
        few.call(Call(at(there)))


def test_calls_to_a_host_follow_each_other_at_once(tmp_path, there, authority):
    slept: list[float] = []
    one = caller(tmp_path, there, authority, sleep=slept.append)
    for _turn in range(3):
        one.call(Call(at(there)))
    assert slept == []
