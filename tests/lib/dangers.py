"""Addresses nobody outside may lead the fetcher to, and all the ways to write them."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

_FOUR = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.254 100.64.0.1 100.100.100.200 100.127.255.254 127.0.0.1
127.0.0.2 127.1.2.3 127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2
172.16.0.1 172.17.0.1 172.31.255.254 192.0.0.1 192.0.0.170 192.0.0.192 192.0.2.1 192.31.196.1
192.52.193.1 192.88.99.1 192.168.0.1 192.168.1.254 192.175.48.1 198.18.0.1 198.19.255.254
198.51.100.1 203.0.113.1 224.0.0.1 233.252.0.1 239.255.255.250 240.0.0.1 255.255.255.255
"""
_SIX = """
:: ::1 ::2 ::7f00:1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::a00:1 64:ff9b:1::7f00:1 64:ff9b:1:fffe::808:808 100::1
100:0:0:1::1 1fff::1 2001::1 2001:0:7f00:1::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
2002:7f00:1::1 2002:a9fe:a9fe::1 2620:4f:8000::1 3ffe::1 3fff::1 3fff:fff::1 4000::1 5f00::1
fc00::1 fd00::1 fd00:ec2::254 fe80::1 fe80::5efe:127.0.0.1 fec0::1 fed0::1 ff02::1 ff05::1:3
2a00:1450::5efe:7f00:1 2a00:1450::200:5efe:a00:1
ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
"""
_GOOD = """
8.8.8.8 93.184.216.34 1.1.1.1 9.9.9.9 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1
168.63.129.15 169.253.255.255 172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255 192.169.0.1
198.17.255.255 198.20.0.1 223.255.255.255 11.0.0.1
2606:4700:4700::1111 2a00:1450:4001:82a::200e 2001:4860:4860::8888 2620:fe::fe 2400:cb00::1
64:ff9b::808:808 2003::1
"""

FOUR, SIX, GOOD = _FOUR.split(), _SIX.split(), _GOOD.split()

STATUSES = ("301 M", "302 F", "303 S", "307 T", "308 P")
_WIDE = {ord("0") + n: 0xFF10 + n for n in range(10)}
_CIRCLED = {ord("0") + n: 0x245F + n for n in range(1, 10)}


def of_four(text: str) -> Iterator[str]:
    """An IPv4 address as a host in many spellings."""
    number = int(IPv4Address(text))
    a, b, c, d = text.split(".")
    low = number & 0xFFFFFF
    yield from (text, f"{text}.", str(number), hex(number), f"0{number:o}")
    yield from (f"0x{number:X}", f"{a}.{low}", f"{a}.{b}.{low & 0xFFFF}", f"0x{int(a):x}.{low}")
    yield ".".join(f"0x{int(part):x}" for part in (a, b, c, d))
    yield ".".join(f"0{int(part):o}" for part in (a, b, c, d))
    yield ".".join(f"{int(part):#012x}" for part in (a, b, c, d))
    yield text.translate(_WIDE)
    yield text.translate(_CIRCLED)
    yield from (
        text.replace(".", dot) for dot in ("\u3002", "\uff0e", "\uff61", "%2e", "%E3%80%82")
    )
    yield "".join(f"%{ord(sign):02x}" for sign in text)
    yield text.replace(".", "\u00ad.")
    yield from (f"[::ffff:{text}]", f"[::{text}]", f"[::ffff:0:{text}]", f"[64:ff9b::{text}]")
    yield from (f"[64:ff9b:1::{text}]", f"[fe80::5efe:{text}]", f"[2a00:1450::5efe:{text}]")
    yield from (f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]", f"[::FFFF:{number >> 16:x}:0]")
    yield f"[2001:0:{number >> 16:x}:{number & 0xFFFF:x}::{~number >> 16 & 0xFFFF:x}:1]"


def of_six(text: str) -> Iterator[str]:
    """An IPv6 address as a host in many spellings."""
    whole = IPv6Address(text).exploded
    yield from (f"[{text}]", f"[{whole}]", f"[{whole.upper()}]", f"[{text}%25lo]", f"[{text}%lo]")


def hosts() -> Iterator[str]:
    """Every address in every spelling."""
    for text in FOUR:
        yield from of_four(text)
    for text in SIX:
        yield from of_six(text)


_NAMES = """
localhost LOCALHOST localhost. a.localhost localhost.localdomain metadata.google.internal metadata
router printer.local intranet db.lan x.home.arpa kubernetes.default.svc.cluster.local
ip6-localhost host.docker.internal 1.0.0.127.in-addr.arpa x.onion
"""
NAMES = _NAMES.split()
_SCHEMES = "ftp gopher dict ldap tftp sftp ws wss jar file netdoc blob view-source"
OTHER_SCHEMES = _SCHEMES.split()


def tricks(here: str, port: int) -> Iterator[str]:
    """Addresses that hide where they lead: `here` is a host, reached at `port` where it is."""
    at = f"{here}:{port}"
    yield from (f"http://good.com@{at}/", f"http://good.com:80@{at}/", f"http://a:b@{at}/")
    yield from (f"http://@{at}/", f"http://:@{at}/", f"https://good.com%00@{at}/")
    yield from (f"http://{at}\\@good.com/", f"http://good.com#@{at}/"[:15] + f"\r\nHost: {at}/")
    yield from (
        f"http://{at}/\r\nX: 1",
        f"http://{at}/%0d%0a\n",
        f"ht\ntp://{at}/",
        f"http://{at}/\t",
    )
    yield from (f"http:\\\\{at}\\", f"http:{at}/", f"http:/{at}/", f"HTTP://{at}/", f"//{at}/")
    yield from (f"http:///{at}/", f" http://{at}/ ", f"http://{at}/\x00", f"http://{here}:+{port}/")
    yield from (f"{scheme}://{at}/" for scheme in OTHER_SCHEMES)
    yield from (f"http://{here}:{n}/" for n in (0, 22, 25, 6379, 8080, 65535, 65536, 99999))
    yield from (f"https://{here}:{n}/" for n in (1, 11211, 2375, 9200))
    yield from ("file:///etc/passwd", "data:text/html,x", "javascript:alert(1)", "about:blank", "")
