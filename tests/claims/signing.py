"""Words for signing in at the stand-ins: leave, say yes there, come back."""

from urllib.parse import urlsplit

from mickle.claims import accounts, proofs
from mickle.claims.accounts import Return, Site
from mickle.claims.models import Proof
from mickle.members.models import Member
from tests.claims.seeing import AT, profile_of
from tests.claims.sites import Sites, one_each

HUB, LAB = Site("github", "github.com"), Site("gitlab", "gitlab.com")
OURS = Site("gitlab", "git.example")
SOCIAL, EVIL = Site("mastodon", "social.example"), Site("mastodon", "evil.example")
KNOWN = {
    "FETCH": True,
    "BASE_URL": "https://here.example",
    "GITHUB_APPS": {"github.com": ("hub-id", "hub-secret")},
    "GITLAB_APPS": {
        "gitlab.com": ("lab-id", "lab-secret"),
        "git.example": ("own-id", "own-secret"),
    },
}


def back(site: Site) -> str:
    """Where a site sends members back to."""
    return f"https://here.example/mine/accounts/{site.kind}/{site.host}/back"


def leave(sites: Sites, who: Member, site: Site, **more: object) -> str:
    """Begin; where the browser goes."""
    given = {"member": who, "session": "browser", "at": AT, **more}
    return accounts.start(site=site, back=back(site), line=sites, **given)


def come(sites: Sites, who: Member, site: Site, address: str, **more: object) -> Proof:
    """Come back by the address a site sent the browser to."""
    word = one_each(urlsplit(address).query)
    returned = Return(
        word.get("state", ""), word.get("code", ""), word.get("error", ""), word.get("iss", "")
    )
    given = {"member": who, "session": "browser", "at": AT, **more}
    proof = accounts.finish(site=site, back=back(site), returned=returned, line=sites, **given)
    assert [check for check in proofs.audit() if not check.ok] == []
    return proof


def sign_in(sites: Sites, who: Member, site: Site, number: object, **more: object) -> Proof:
    """All of it; whom a worker has to look at first is looked at."""
    away = leave(sites, who, site, **more)
    proof = come(sites, who, site, sites.by_host[site.host].allow(away, number), **more)
    if site.kind != "mastodon" or proof.wanted_at is None:
        return proof
    return look(sites, proof, more.get("at", AT))


def look(sites: Sites, proof: Proof, at=AT) -> Proof:
    """A worker looks."""
    seen = proofs.look(proof=proof, profile_of=profile_of, eyes=sites, at=at)
    assert [check for check in proofs.audit() if not check.ok] == []
    return seen
