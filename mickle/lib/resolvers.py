"""How a server of names is written: an address, or an address with a port."""

import re
from ipaddress import ip_address

PORT = 53
_AT_PORT = re.compile(
    r"\[(?P<six>[^\]]{1,60})\]:(?P<port6>\d{1,5})|(?P<four>[\d.]{1,20}):(?P<port4>\d{1,5})"
)


def place(text: str) -> tuple[str, int]:
    """The address and port of 9.9.9.9, 127.0.0.1:5353 or [2620:fe::fe]:53; raises ValueError."""
    found = _AT_PORT.fullmatch(text)
    if not found:
        return str(ip_address(text)), PORT
    address, port = found["six"] or found["four"], int(found["port6"] or found["port4"])
    if not 0 < port < 1 << 16:
        raise ValueError(text)
    return str(ip_address(address)), port
