"""Which addresses may be connected to: global unicast, and in none of the networks named here.

Python's own flags (`is_global`, `is_private`) let dangerous ones through, so nothing asks them. The
networks are those of IANA's registries for special purposes, and what clouds keep for themselves.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

PORTS = (80, 443)

_REFUSED_4 = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24
198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
168.63.129.16/32
"""
# Within 2000::/3: Teredo, ORCHID and other protocols, documentation, 6to4, 6bone, AS112.
_REFUSED_6 = "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3ffe::/16 3fff::/20"

_NETWORKS_4 = tuple(map(IPv4Network, _REFUSED_4.split()))
_NETWORKS_6 = tuple(map(IPv6Network, _REFUSED_6.split()))
_UNICAST_6 = IPv6Network("2000::/3")
# What a resolver of a net without IPv4 makes of an IPv4 address (DNS64).
_NAT64 = IPv6Network("64:ff9b::/96")
# The last eight bytes of an ISATAP address begin so, and end in an IPv4 address.
_ISATAP = (0x00005EFE, 0x02005EFE)


def allowed(address: str, port: int) -> bool:
    """Whether the fetcher may connect there."""
    return port in PORTS and public(address)


def public(address: str) -> bool:
    """Whether it is an address of the public net; whatever cannot be read is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return _public_4(found) if isinstance(found, IPv4Address) else _public_6(found)


def _public_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NETWORKS_4)


def _public_6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return _public_4(IPv4Address(int(address) & 0xFFFFFFFF))
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return False
    return address in _UNICAST_6 and not any(address in network for network in _NETWORKS_6)
