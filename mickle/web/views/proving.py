"""Showing that a place on the web is one's own: choose a way, put it there, have it looked at."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mickle.claims import accounts, proofs
from mickle.claims.models import Proof
from mickle.instance import instance
from mickle.lib.errors import Refused
from mickle.things.models import Scope
from mickle.web import access, paths, wording
from mickle.web.access import MemberRequest
from mickle.web.forms import ProofForm

WAYS: dict[str, Promise] = {
    Proof.Method.FILE: gettext_lazy("A file on the site"),
    Proof.Method.META: gettext_lazy("A line in the page’s head"),
    Proof.Method.DNS: gettext_lazy("A record in the domain’s DNS"),
    Proof.Method.ME: gettext_lazy("A link on the page to your page here (rel=me)"),
    Proof.Method.PAYMENT: gettext_lazy("A payment link on the page (rel=payment)"),
    Proof.Method.FUNDING: gettext_lazy("A funding.json that names your page here"),
    Proof.Method.REPOSITORY: gettext_lazy("FUNDING.yml in a repository"),
    Proof.Method.ACCOUNT: gettext_lazy("A sign-in at the site"),
}


# These hold a word that only this member has; the others name an address of this instance.
_BY_TOKEN = (Proof.Method.FILE, Proof.Method.META, Proof.Method.DNS)


@dataclass(frozen=True)
class Step:
    """What has to stand where, to be copied."""

    where: str
    text: str


@access.member_only
@access.form_page
def prove(request: MemberRequest) -> HttpResponse:
    """Choose what is one's own and how to show it."""
    start = {"url": request.GET.get("url", "")[:2_000], "method": Proof.Method.FILE}
    # Who looks has to know the address that a page would name.
    named = settings.BASE_URL != ""
    ways = {name: said for name, said in WAYS.items() if named or name in _BY_TOKEN}
    ways.pop(Proof.Method.ACCOUNT, None)
    form = ProofForm(request.POST or None, initial=start, ways=ways)
    if request.method == "POST" and form.is_valid():
        try:
            begun = proofs.begin(
                member=request.user,
                address=form.cleaned_data["url"],
                method=form.cleaned_data["method"],
                at=instance.now(),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            return paths.see_other("proof-way", begun.id)
    context = {"form": form, "looks": settings.FETCH} | _accounts()
    return render(request, "making/prove.html", context)


def _accounts() -> dict[str, object]:
    """Where one can sign in from here, and where not."""
    missing = ", ".join(site.called for site in accounts.not_offered())
    return {
        "signs_in": accounts.ready(),
        "buttons": accounts.offered(),
        "missing": missing,
    }


@access.member_only
@access.read_page
def way(request: MemberRequest, proof_id: int) -> HttpResponse:
    """What to put where, whether it was seen, and what was seen."""
    proof = get_object_or_404(Proof, id=proof_id, member=request.user)
    at = instance.now()
    again = accounts.site_of(proof)
    context = {
        "proof": proof,
        "looks": settings.FETCH,
        "way": WAYS[proof.method],
        "step": None if proof.kind == Scope.Kind.HANDLE else _step(proof, profile(request)),
        "again": again,
        "can_again": again is not None and accounts.is_offered(again),
        "over": proof.state == Proof.State.ASKED and at >= proof.expires_at,
        "under_notice": proof.notice_until_at is not None and at < proof.notice_until_at,
    }
    return render(request, "making/proof.html", context)


def profile(request: HttpRequest) -> str:
    """The address of the member's page here."""
    return paths.base(request) + reverse("profile", args=[request.user.get_username()])


def _step(proof: Proof, own_page: str) -> Step:
    steps = {
        Proof.Method.FILE: (f"https://{proof.host}/.well-known/mickle.txt", proof.token),
        Proof.Method.META: (
            proof.url,
            f'<meta name="mickle:owner" content="{proof.token}">',
        ),
        Proof.Method.DNS: (f"_mickle.{proof.host}", f"mickle={proof.token}"),
        Proof.Method.ME: (proof.url, f'<link rel="me" href="{own_page}">'),
        Proof.Method.PAYMENT: (proof.url, f'<link rel="payment" href="{own_page}">'),
        Proof.Method.FUNDING: (
            f"https://{proof.text}/funding.json",
            f'{{"guid": "mickle", "type": "payment-provider", "address": "{own_page}"}}',
        ),
        Proof.Method.REPOSITORY: (".github/FUNDING.yml", f'custom: ["{own_page}"]'),
    }
    return Step(*steps[Proof.Method(proof.method)])


@access.member_only
@access.write_only
def way_deed(request: MemberRequest, proof_id: int) -> HttpResponse:
    """Have it looked at now, or stop showing it."""
    proof = get_object_or_404(Proof, id=proof_id, member=request.user)
    deed = request.POST.get("deed")
    try:
        if deed == "look":
            proofs.want_look(proof=proof, at=instance.now())
        elif deed == "end":
            proofs.end(proof=proof, at=instance.now())
            messages.info(request, _("You no longer show this place. What you earned stays yours."))
            return paths.see_other("my-things")
        else:
            messages.error(request, wording.unknown_deed())
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("proof-way", proof_id)
