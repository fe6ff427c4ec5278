"""The proof of settled months, for anybody, and of one's own shares in one."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from mickle.ledger import ledger
from mickle.lib import months
from mickle.settlement import arrears, settlement
from mickle.web import access, errors
from mickle.web.access import MemberRequest

_LISTED_MONTHS = 120


@access.read_page
def proofs(request: HttpRequest) -> HttpResponse:
    """Every settled month with its root."""
    return render(request, "front/proofs.html", {"listed": settlement.proofs(_LISTED_MONTHS)})


@access.read_page
def proof(request: HttpRequest, month: int) -> HttpResponse:
    """One month: the figures, the root, and the text the root is the hash of."""
    row = settlement.proof(month)
    if row is None:
        raise Http404
    context = {
        "row": row,
        "head": settlement.proof_head(row),
        "charged": arrears.is_charged(month),
        "pool": ledger.balance(ledger.pool(month)),
        "command": f"mickle verify {_own_name(month)} --json-of {months.text(month)}.json",
    }
    return render(request, "front/proof.html", context)


@access.read_page
def proof_json(_request: HttpRequest, month: int) -> HttpResponse:
    """The same for programs."""
    row = settlement.proof(month)
    if row is None:
        raise Http404
    return JsonResponse(settlement.proof_file(row), json_dumps_params={"indent": 1})


@access.member_only
@access.read_page
@errors.from_archives
def own_proof(request: MemberRequest, month: int) -> HttpResponse:
    """The member's own shares with the way from them to the root; nobody else's, ever."""
    found = settlement.proof_of(member=request.user, month=month)
    if found is None:
        raise Http404
    response = JsonResponse(found, json_dumps_params={"indent": 1, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{_own_name(month)}"'
    return response


def _own_name(month: int) -> str:
    return f"my-shares-{months.text(month)}.json"
