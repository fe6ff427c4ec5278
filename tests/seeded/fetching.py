"""Bugs of the fetcher and of what it makes of pages."""

from tests.seeded.bug import Bug

_SSRF = "tests/lib/test_fetch_ssrf.py -k "
_FETCH = "tests/lib/test_fetch.py -k "
_TURNS = "tests/lib/test_fetch_turns.py -k "
_NAMES = "tests/lib/test_fetch_names.py -k "
_READING = "tests/lib/test_reading.py -k "
_WIRE = "lib/_fetch_wire.py"
_ADDRESSES = "lib/_fetch_addresses.py"

_OUT = [
    Bug(
        "a failure takes the place of what was read",
        "lib/_fetch_cache.py",
        "path = self._path(url, silent=answer.is_silence)",
        "path = self._path(url)",
        _TURNS + "takes_nothing_away",
    ),
    Bug(
        "a failure is not remembered beside what was read",
        "lib/_fetch_cache.py",
        "for path in (self._path(url), self._path(url, silent=True)):",
        "for path in (self._path(url),):",
        _TURNS + "takes_nothing_away",
    ),
    Bug(
        "what a site refuses now is kept apart from what it said",
        "lib/_fetch_cache.py",
        "return bool(self.code) and issubclass(REASONS[self.code].kind, Unreachable)",
        "return bool(self.code)",
        _TURNS + "takes_the_place",
    ),
    Bug(
        "nobody looks at an address",
        _WIRE,
        "if not allowed(address, target.port):",
        "if not allowed(address, target.port) and not address:",
        _SSRF + "no_spelling",
    ),
    Bug(
        "a redirect is not looked at like the first",
        "lib/fetch.py",
        "there = target(answer.location, there.url)",
        "there = target(answer.location, there.url)\n"
        "            self._way = self._way._replace(allowed=lambda _address, _port: True)",
        _SSRF + "no_redirect",
    ),
    Bug(
        "what clouds keep for themselves is public",
        _ADDRESSES,
        "127.0.0.0/8 169.254.0.0/16 172",
        "127.0.0.0/8 172",
        _SSRF + "knows_every",
    ),
    Bug(
        "an address of IPv6 is public unless it is named",
        _ADDRESSES,
        "return address in _UNICAST_6 and not any(",
        "return not any(",
        _SSRF + "knows_every",
    ),
    Bug(
        "whatever stands behind NAT64 is public",
        _ADDRESSES,
        "return _public_4(IPv4Address(int(address) & 0xFFFFFFFF))",
        "return True",
        _SSRF + "knows_every",
    ),
    Bug(
        "an address within an address is not seen",
        _ADDRESSES,
        "& 0xFFFFFFFF in _ISATAP",
        "& 0xFFFFFFFF in ()",
        _SSRF + "knows_every",
    ),
    Bug(
        "any port is read",
        _ADDRESSES,
        "return port in PORTS and public(address)",
        "return public(address)",
        _SSRF + "only_two_ports",
    ),
    Bug(
        "a name is looked up again for the connection",
        _WIRE,
        "found = addresses(self._way, self._target, self._budget)",
        "found = addresses(self._way, self._target, self._budget)\n"
        "        if not self._target.literal:\n"
        "            found = addresses_of(\n"
        "                self._target.host, resolvers=self._way.resolvers, timeout_s=5\n"
        "            )",
        _SSRF + "changes_its_mind",
    ),
    Bug(
        "one good address among others is enough",
        _WIRE,
        "for address in found:",
        "for address in found[:1]:",
        _SSRF + "changes_its_mind",
    ),
    Bug(
        "a name before a host is dropped in silence",
        "lib/_fetch_urls.py",
        'if read.username or read.password or "@" in _authority(raw):',
        'if raw == "@":',
        _SSRF + "no_redirect",
    ),
    Bug(
        "whoever answers is believed",
        _WIRE,
        "if ip_address(peer) != ip_address(address) or not allowed(peer, port):",
        "if not allowed(peer, port):",
        _FETCH + "ends_elsewhere",
    ),
    Bug(
        "behind a proxy no address is looked at",
        _WIRE,
        "check_addresses([target.host], target, way.allowed)",
        "pass",
        _NAMES + "behind_a_proxy",
    ),
    Bug(
        "names of local networks are asked for",
        "lib/_fetch_urls.py",
        "if len(labels) == 1 or labels[-1] in _LOCAL_NAMES or not fit:",
        "if not fit:",
        _NAMES + "behind_a_proxy",
    ),
    Bug(
        "redirects have no end",
        "lib/fetch.py",
        "range(self._limits.redirects + 1)",
        "range(50)",
        _FETCH + "followed_up_to_three",
    ),
    Bug(
        "no certificate is checked",
        _WIRE,
        "return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)",
        "return ssl._create_unverified_context()",
        _FETCH + "system_believes",
    ),
    Bug(
        "who proves another name is believed",
        _WIRE,
        "wrapped = ssl_context.wrap_socket(",
        "ssl_context.check_hostname = False\n            wrapped = ssl_context.wrap_socket(",
        _FETCH + "who_proves_the_name",
    ),
]

_LIMITS = [
    Bug(
        "each byte has five seconds",
        _WIRE,
        "self._sock.settimeout(self._budget.left_s(self._host))\n        with _told(self._host):\n"
        "            data",
        "self._sock.settimeout(5)\n        with _told(self._host):\n            data",
        _FETCH + "slow_drip",
    ),
    Bug(
        "each redirect has five seconds",
        _WIRE,
        "self._seconds = self._ends - time.monotonic()",
        "pass",
        _FETCH + "redirects_together",
    ),
    Bug(
        "a bomb is unpacked whole",
        "lib/_fetch_text.py",
        "yield unzip.decompress(data, most + 1)",
        "yield unzip.decompress(data)",
        _FETCH + "never_holds",
    ),
    Bug(
        "more than a mebibyte is kept",
        "lib/_fetch_text.py",
        "if len(body) > most:",
        "if len(body) > 2 * most:",
        _FETCH + "without_an_end_is_cut",
    ),
    Bug(
        "what comes over the wire has no limit",
        _WIRE,
        "if self._bytes < 0:",
        "if self._bytes < -(1 << 60):",
        _FETCH + "emptiness",
    ),
    Bug(
        "every type is read",
        "lib/_fetch_text.py",
        "if kind in _TYPES or",
        "if kind or",
        _FETCH + "other_types",
    ),
    Bug(
        "packing nobody asked for is taken for text",
        "lib/_fetch_text.py",
        'elif packing not in ("", "identity"):',
        'elif packing == "never":',
        _FETCH + "not_asked_for",
    ),
    Bug(
        "a page chooses any codec of Python's",
        "lib/_fetch_text.py",
        'return name if name in _CHARSETS else ""',
        "return name",
        "tests/lib/test_fetch_text.py",
    ),
]

_READ = [
    Bug(
        "a template speaks for the page",
        "lib/_reading_tags.py",
        "elif tag in self._aside:",
        'elif tag == "never":',
        _READING + "no_part_of",
    ),
    Bug(
        "a reader's link speaks for the page",
        "lib/_reading_page.py",
        'if not rels or "ugc" in rels:',
        "if not rels:",
        _READING + "who_and_what",
    ),
    Bug(
        "a title within a header speaks for the page",
        "lib/_reading_header.py",
        """((?:[^<"]|"(?:[^"\\\\]|\\\\.)*"){0,500})""",
        "([^<]{0,500})",
        _READING + "beside_a_page",
    ),
    Bug(
        "a comment names the owner",
        "lib/_reading_page.py",
        "if self._in_head and len(self._owners)",
        "if len(self._owners)",
        _READING + "in_the_head_only",
    ),
    Bug(
        "a title turns the line round",
        "lib/_reading_found.py",
        'return "" if kind[0] == "C" else sign',
        "return sign",
        _READING + "plain_and_short",
    ),
    Bug(
        "a link is a script",
        "lib/_reading_found.py",
        'if found.protocol not in ("http:", "https:") or found.username or found.password:',
        "if found.username or found.password:",
        _READING + "leads_to_no_page",
    ),
    Bug(
        "a feed reads a file of ours",
        "lib/_reading_tags.py",
        "resolve_entities=False,",
        "resolve_entities=True,",
        _READING + "nothing_is_loaded",
    ),
    Bug(
        "a letter that is none stops who reads it",
        "lib/_reading_tags.py",
        "except (etree.LxmlError, UnicodeDecodeError):",
        "except etree.LxmlError:",
        _READING + "letter_that_is_none",
    ),
    Bug(
        "JSON without an end stops who reads it",
        "lib/_reading_facts.py",
        "except (ValueError, RecursionError):",
        "except ValueError:",
        _READING + "hostile",
    ),
    Bug(
        "ten thousand links are kept",
        "lib/_reading_page.py",
        "if len(found) < LINKS * 4:",
        "if len(found) < LINKS * 400:",
        _READING + "worth",
    ),
]

FETCHING = [*_OUT, *_LIMITS, *_READ]
