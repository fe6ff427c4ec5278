"""The operator's page of claims: words to judge, and places that two members show."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from mickle.claims import claims, proofs
from mickle.claims.models import Claim, Proof
from mickle.instance import instance
from mickle.lib.errors import Refused
from mickle.settlement import settlement
from mickle.web import access, paths, wording
from mickle.web.access import MemberRequest
from mickle.web.views.proving import WAYS

_RECENT = 30


@access.operator_only
@access.read_page
def claim_list(request: MemberRequest) -> HttpResponse:
    """Who says that something is theirs, and which proofs need a decision."""
    rows = Claim.objects.select_related("thing", "thing__owner", "member")
    context = {
        "open": rows.filter(state=Claim.State.OPEN).order_by("id"),
        "decided": rows.exclude(state=Claim.State.OPEN).order_by("-id")[:_RECENT],
        "disputes": [(proof, WAYS[proof.method]) for proof in proofs.disputes()],
    }
    return render(request, "operator/claims.html", context)


@access.operator_only
@access.write_only
def decide(request: MemberRequest, claim_id: int) -> HttpResponse:
    """Grant or refuse a claim; what waits is released to whom it is granted."""
    claim = get_object_or_404(Claim, id=claim_id)
    at = instance.now()
    deed = request.POST.get("deed")
    try:
        if deed == "grant":
            with transaction.atomic():
                instance.hold_owners()
                thing = claims.grant(claim=claim, by=request.user, at=at)
                settlement.release(thing=thing, at=at)
        elif deed == "refuse":
            claims.refuse(claim=claim, by=request.user, at=at)
        else:
            messages.error(request, wording.unknown_deed())
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("claims")


@access.operator_only
@access.write_only
def proof_deed(request: MemberRequest, proof_id: int) -> HttpResponse:
    """Give a place to one of those who show it."""
    proof = get_object_or_404(Proof, id=proof_id)
    try:
        if request.POST.get("deed") == "decide":
            proofs.decide(proof=proof, by=request.user, at=instance.now())
        else:
            messages.error(request, wording.unknown_deed())
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("claims")
