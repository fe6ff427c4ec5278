"""A small web for tests of proofs: what each address says, and what names have for records."""

from datetime import datetime

from mickle.claims import proofs
from mickle.claims.models import Proof
from mickle.lib import fetch
from mickle.lib.fetch import Fetched
from mickle.members.models import Member
from mickle.things import things
from mickle.things.models import Thing
from tests.people import MID_NOVEMBER as AT

HERE = "https://mickle.example"
FUNDING_YML = {
    "github.com": "https://raw.githubusercontent.com/{name}/HEAD/.github/FUNDING.yml",
    "codeberg.org": "https://codeberg.org/{name}/raw/HEAD/.github/FUNDING.yml",
    "gitlab.com": "https://gitlab.com/{name}/-/raw/HEAD/.github/FUNDING.yml",
}


def profile_of(member: Member) -> str:
    """The address of a member's page here."""
    return f"{HERE}/people/{member.username}"


class Web:
    """Answers as a fetcher does; an address nobody wrote to is a 404, a silent host none at all."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.leads: dict[str, str] = {}
        self.records: dict[str, list[str]] = {}
        self.domains: dict[str, datetime] = {}
        self.silent: set[str] = set()
        self.resting: set[str] = set()
        self.asked: list[str] = []

    def page(self, url: str, at: datetime) -> Fetched:
        """The page at an address, after what leads on."""
        self.asked.append(url)
        hops = [url]
        while hops[-1] in self.leads:
            hops.append(self.leads[hops[-1]])
        last = hops[-1]
        if any(last.startswith(f"https://{host}/") for host in self.silent):
            raise fetch.Unreachable("server", host=last, status="503")
        if any(last.startswith(f"https://{host}/") for host in self.resting):
            raise fetch.failure("later", host=last)
        text = self.pages.get(last)
        status, kind = (404, "") if text is None else (200, "text/html")
        return Fetched(last, status, kind, text or "", "", tuple(hops), at, False, False)

    def registered_at(self, domain: str, at: datetime) -> datetime | None:
        """Since when a domain is somebody's, where its registry says so."""
        return self.domains.get(domain)

    def txt(self, name: str) -> list[str]:
        """The records of a name."""
        self.asked.append(name)
        if any(name.endswith(host) for host in self.silent):
            raise fetch.Unreachable("server", host=name, status="503")
        return self.records.get(name, [])


def page(url: str, at: datetime = AT) -> Thing:
    """A thing, as somebody's first nod makes it."""
    return things.find_or_add(url=url, at=at)


def begin(who: Member, address: str = "https://blog.example/", method: str = "FILE") -> Proof:
    """A way to show a place."""
    return proofs.begin(member=who, address=address, method=method, at=AT)


def put(web: Web, proof: Proof) -> None:
    """Do as the page of the proof says."""
    own = profile_of(proof.member)
    match proof.method:
        case "FILE":
            web.pages[f"https://{proof.host}/.well-known/mickle.txt"] = f"{proof.token}\n"
        case "META":
            web.pages[proof.url] = f'<meta name="mickle:owner" content="{proof.token}">'
        case "DNS":
            web.records[f"_mickle.{proof.host}"] = [f"mickle={proof.token}"]
        case "ME":
            web.pages[proof.url] = f'<a rel="me" href="{own}">me</a>'
        case "PAYMENT":
            web.pages[proof.url] = f'<link rel="payment" href="{own}">'
        case "FUNDING":
            manifest = f'{{"funding": {{"channels": [{{"address": "{own}"}}]}}}}'
            web.pages[f"https://{proof.text}/funding.json"] = manifest
        case "REPOSITORY":
            site, _slash, name = proof.text.partition("/")
            url = FUNDING_YML[site].format(name=name)
            web.pages[url] = f'github: bob\ncustom: ["https://x.example/", "{own}"]\n'


def look(web: Web, proof: Proof, at: datetime = AT) -> Proof:
    """Look at a proof in this web."""
    seen = proofs.look(proof=proof, profile_of=profile_of, eyes=web, at=at)
    assert [check for check in proofs.audit() if not check.ok] == []
    return seen


def shown(
    web: Web, who: Member, address: str = "https://blog.example/", method: str = "FILE"
) -> Proof:
    """A proof that stands where it should and was seen."""
    proof = begin(who, address, method)
    put(web, proof)
    return look(web, proof)


def owner(thing: Thing) -> Member | None:
    """Whose a thing is now."""
    return Thing.objects.get(id=thing.id).owner
