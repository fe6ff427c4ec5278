"""What addresses are drawn from: hosts of every rule, and pieces that rules look for."""

from mickle.lib._shared_hosts_list import NOBODY, PATHS, SUBDOMAINS
from mickle.lib._urls_doors import _DOORS
from mickle.lib._urls_sites import SITES

SITE_HOSTS = [
    *(f"www.{host}" for host in SITES if not host.startswith(".")),
    *(f"alice{host}" if host.startswith(".") else host for host in SITES),
    *(f"a.b{host}" for host in SITES if host.startswith(".")),
    *(host for host, _path in _DOORS),
]
_OTHERS = """
example.com www.example.com www.www.a.example example.com. 127.0.0.1 0x7f.1 [::1] EXAMPLE.com:443
example.com:8443 bücher.example пример.рф xn--a xn--80ak6aa92e.com example.com:0 a..b .a a_b.example
www.co.uk www.github.io -a-.example a。b．c
"""
OTHER_HOSTS = [
    *_OTHERS.split(),
    *sorted(SUBDOMAINS)[::9],
    *(host.lstrip(".") for host in sorted(NOBODY)[::9]),
    *(line.partition("/")[0] for line in PATHS.split()[::9]),
]
_PIECES = r"""
/ // . .. %2E %2e%2e %2F %2f %25 %61 %C3%A9 %c3 %zz % %00 é 😀 ß \ @ : ; = & + ~ ' " < > | ^ ` {
} [ ] * ( ) , ! $ - _ a A 0 watch embed/ shorts/ live/ v/ videoseries live_stream dQw4w9WgXcQ
playlist channel/UC4QobU6STFB0P71PMvOGN5A @Alice @alice@a.example featured attribution_link
status/20 statuses/20 i/web/ photo/1 search users/a/ 109000000000000001 web/ deck/ embed
wiki/ w/ index.php w/index.php File: videos/watch/ kkGMgK9ZtnKfYAgnEtQxbv p/
9c9de5e8-0a1e-484a-b099-e80766180a6d foo/bar .git tree/HEAD -/ blob/main/ issues/1 video/ 76979871
8272103f6e channels/x/ abs/ pdf/ 1706.03762v5 math.GT/0309136 .pdf 10.1000/AbC 10.1/ project/
A_b..C r/A/ u/B comments/a1/ comment/b2 gallery/a1 questions/1/ q/2/ why intl-de/ track/Ab1
CuZ8w0xoLXk reel/ post/733128390912982016 blog/view/ staff/733128390912982016
my-story-1a2b3c4d5e6f photos/ sets/ in/photostream lightbox photo/123 album/x profile/ did:plc:abc
post/3kabc l.php url redirect ~alice %40Alice %3A 10.1000%2F..%2Fa
"""
PIECES = _PIECES.split()
_NAMES = "v u url q list title tab si id h t s z to target continue utm_source fbclid a A"
NAMES = _NAMES.split()
_VALUES = """
20 dQw4w9WgXcQ https%3A%2F%2Fyoutu.be%2FdQw4w9WgXcQ https://a:b@example.com/
https%3A%2F%2Fl.facebook.com%2Fl.php%3Fu%3Dhttps%3A%2F%2Fa.example ../What? a/../b
%2Fwatch%3Fv%3DdQw4w9WgXcQ http://example.com:443/users/a/statuses/123456789
"""
VALUES = [*PIECES, *_VALUES.split()]
_FRAGMENTS = """
top / /doc/1 !/doc/%61 ! !/jack/status/20 #/a /é !/../x !/jack/status/20?s=20 !//x !/@jack/ /a?b#c
"""
FRAGMENTS = ["", "", "", "/ é", *_FRAGMENTS.split()]
