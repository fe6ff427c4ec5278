"""The addresses of all pages. Each name with what its template is given besides `mickle`.

For anybody: home (series, ten, last, things) catalogue (things, categories, orders) thing (thing,
full, places, waiting_nods, waiting_micros) profile (member, owned, nodded) figures (listed) proofs
(listed) proof (row, head, pool, command) proof-json terms privacy imprint source (version) robot
(refusal) playground (form, preview, snippets, script) mail-stop (statements, done) letter-stop
(host, done); POST only: set-language waiting-list. Sign-up and sign-in keep allauth's names:
account_signup account_login account_logout account_confirm_login_code
account_email_verification_sent account_inactive.

Nod page and window: nod nod-window (thing, title, called, offer, nonce, coin, states) nod-kept
nod-done nod-window-done (thing, coin, states, told) monthly (running); POST only: nod-at
nod-window-at. Under /nod/window a page keeps its opener.

Givers: dashboard (seen, rows, states, money, steps) add-link my-nods (rows, month, known)
subscriptions (running) statements (listed) statement (found, rows, movements) statement-as
own-proof top-up (amount, reference, account, qr) refund (most) settings (budget, profile, mail,
plan) sites (listed)
programs (listed, form, made) close-account;
POST only: play-money take-back-waiting.

Makers: my-things (things, claims, shown) prove (form, looks, buttons) proof-way (proof, way, step,
again) account-back (site, came) add-thing edit-thing teams (listed, asked, form) team (team, now,
later, proposed, put_in, own, history, form) revenue (have, days, bars, found) revenue-csv
payout-account withdraw (form, then quote); POST only: sign-in-start (site, away) claim proof-deed
team-deed refuse-nods to-funds.

Operators (404 for everybody else): operator-months operator-month (row, totals, checks) cash-desk
(form, standing, recent) send-back payouts (requested, sent, files, came_back) payout-file claims
charities people take-down (thing) operator-same (form, two, said, decided) fee (announced)
operator-jobs (jobs, due, mails, unresolved) clock books journal trial-balance; POST only:
month-close month-settle assign payout-make-file file-executed payout-mark claim-decide
dispute-decide same-merge same-decide charity-deed invite invite-waiting suspend make-operator
put-back mail-again.
setup: the one-time link.
"""

from allauth.account import views as allauth
from django.urls import path, register_converter
from django.views.generic import RedirectView

from mickle.web.paths import MonthConverter, NumberConverter
from mickle.web.views import (
    account,
    accounts,
    catalogue,
    desk,
    disputes,
    fee,
    front,
    giving,
    jobs,
    mails,
    making,
    merging,
    money,
    nod,
    office,
    people,
    playground,
    programs,
    proofs,
    proving,
    sites,
    teaming,
)
from mickle.web.views.setup import setup

register_converter(MonthConverter, "month")
register_converter(NumberConverter, "number")

anybody = [
    path("", front.home, name="home"),
    path("catalogue", catalogue.catalogue, name="catalogue"),
    path("thing/<number:thing_id>", catalogue.thing, name="thing"),
    path("people/<str:username>", people.profile, name="profile"),
    path("figures", front.figures, name="figures"),
    path("proof", proofs.proofs, name="proofs"),
    path("proof/<month:month>", proofs.proof, name="proof"),
    path("proof/<month:month>.json", proofs.proof_json, name="proof-json"),
    path("terms", front.terms, name="terms"),
    path("privacy", front.privacy, name="privacy"),
    path("imprint", front.imprint, name="imprint"),
    path("source", front.source, name="source"),
    path("robot", front.robot, name="robot"),
    path("buttons", playground.playground, name="playground"),
    path("language", front.set_language, name="set-language"),
    path("waiting-list", front.waiting_list, name="waiting-list"),
    path("setup/<str:token>", setup, name="setup"),
    path("mail/stop/<str:letter>", mails.stop, name="mail-stop"),
    path("letter/<str:maker_letter>", mails.letter_stop, name="letter-stop"),
]

signing_in = [
    path("sign-up", allauth.signup, name="account_signup"),
    path("sign-up/code", allauth.email_verification_sent, name="account_email_verification_sent"),
    path("sign-in", allauth.login, name="account_login"),
    path("sign-in/code", allauth.confirm_login_code, name="account_confirm_login_code"),
    path("sign-out", allauth.logout, name="account_logout"),
    path("account-closed", allauth.account_inactive, name="account_inactive"),
    # allauth names these two in its flows; here both are other pages.
    path(
        "sign-in/request",
        RedirectView.as_view(pattern_name="account_login"),
        name="account_request_login_code",
    ),
    path("settings/e-mail", RedirectView.as_view(pattern_name="settings"), name="account_email"),
]

nodding = [
    path("nod", nod.nod, name="nod"),
    path("nod/kept", nod.kept, name="nod-kept"),
    path("nod/window", nod.window, name="nod-window"),
    path("nod/window/<number:thing_id>", nod.window_at, name="nod-window-at"),
    path("nod/window/<number:thing_id>/done", nod.window_done, name="nod-window-done"),
    path("nod/<number:thing_id>", nod.nod_at, name="nod-at"),
    path("nod/<number:thing_id>/done", nod.done, name="nod-done"),
    path("nod/<number:thing_id>/monthly", nod.monthly, name="monthly"),
]

givers = [
    path("month", giving.dashboard, name="dashboard"),
    path("month/add", giving.add_link, name="add-link"),
    path("nods", giving.my_nods, name="my-nods"),
    path("nods/monthly", giving.subscriptions, name="subscriptions"),
    path("statements", giving.statements, name="statements"),
    path("statements/<month:month>", giving.statement, name="statement"),
    path("statements/<month:month>.<str:form>", giving.statement_as, name="statement-as"),
    path("statements/<month:month>/proof.json", proofs.own_proof, name="own-proof"),
    path(
        "statements/<month:month>/take-back/<number:thing_id>",
        giving.take_back_waiting,
        name="take-back-waiting",
    ),
    path("top-up", money.top_up, name="top-up"),
    path("top-up/play", money.play_money, name="play-money"),
    path("refund", money.refund, name="refund"),
    path("settings", account.settings_page, name="settings"),
    path("settings/sites", sites.sites, name="sites"),
    path("settings/programs", programs.all_programs, name="programs"),
    path("settings/close", account.close_account, name="close-account"),
]

makers = [
    path("mine", making.my_things, name="my-things"),
    path("mine/add", making.add_thing, name="add-thing"),
    path("mine/show", proving.prove, name="prove"),
    path("mine/show/<number:proof_id>", proving.way, name="proof-way"),
    path("mine/show/<number:proof_id>/deed", proving.way_deed, name="proof-deed"),
    path("mine/accounts", accounts.start, name="sign-in-start"),
    path("mine/accounts/<str:site>/<str:host>/back", accounts.back, name="account-back"),
    path("mine/teams", teaming.all_teams, name="teams"),
    path("mine/teams/<number:team_id>", teaming.team, name="team"),
    path("mine/teams/<number:team_id>/deed", teaming.team_deed, name="team-deed"),
    path("thing/<number:thing_id>/edit", making.edit_thing, name="edit-thing"),
    path("thing/<number:thing_id>/refuse", making.refuse_nods, name="refuse-nods"),
    path("thing/<number:thing_id>/claim", catalogue.claim, name="claim"),
    path("revenue", making.revenue, name="revenue"),
    path("revenue/<month:month>.csv", making.revenue_csv, name="revenue-csv"),
    path("revenue/to-funds", making.to_funds, name="to-funds"),
    path("withdraw", making.withdraw, name="withdraw"),
    path("withdraw/account", making.payout_account, name="payout-account"),
]

operators = [
    path("operator", desk.all_months, name="operator-months"),
    path("operator/months/<month:month>", desk.one_month, name="operator-month"),
    path("operator/months/close", desk.close, name="month-close"),
    path("operator/months/<month:month>/settle", desk.settle, name="month-settle"),
    path("operator/cash-desk", desk.cash_desk, name="cash-desk"),
    path("operator/cash-desk/<number:payin_id>/assign", desk.assign, name="assign"),
    path("operator/cash-desk/<number:payin_id>/send-back", desk.send_back, name="send-back"),
    path("operator/payouts", desk.payout_list, name="payouts"),
    path("operator/payouts/make-file", desk.make_file, name="payout-make-file"),
    path("operator/payouts/files/<number:file_id>.xml", desk.payout_file, name="payout-file"),
    path("operator/payouts/files/<number:file_id>", desk.file_executed, name="file-executed"),
    path("operator/payouts/<number:payout_id>", desk.payout_mark, name="payout-mark"),
    path("operator/claims", disputes.claim_list, name="claims"),
    path("operator/claims/<number:claim_id>", disputes.decide, name="claim-decide"),
    path("operator/proofs/<number:proof_id>", disputes.proof_deed, name="dispute-decide"),
    path("operator/charities", office.charities, name="charities"),
    path("operator/charities/<number:charity_id>", office.charity_deed, name="charity-deed"),
    path("operator/people", office.people, name="people"),
    path("operator/people/invite", office.invite, name="invite"),
    path(
        "operator/people/waiting/<number:person_id>", office.invite_waiting, name="invite-waiting"
    ),
    path("operator/people/<number:member_id>/suspend", office.suspend, name="suspend"),
    path("operator/people/<number:member_id>/operator", office.make_operator, name="make-operator"),
    path("operator/things/<number:thing_id>/take-down", desk.take_down, name="take-down"),
    path("operator/things/<number:thing_id>/put-back", desk.put_back, name="put-back"),
    path("operator/same", merging.same, name="operator-same"),
    path("operator/same/merge", merging.merge, name="same-merge"),
    path("operator/same/<number:merger_id>", merging.decide, name="same-decide"),
    path("operator/fee", fee.fee, name="fee"),
    path("operator/jobs", jobs.jobs, name="operator-jobs"),
    path("operator/jobs/mails/<number:notice_id>", jobs.mail_again, name="mail-again"),
    path("operator/clock", office.clock, name="clock"),
    path("operator/books", office.books, name="books"),
    path("operator/books/<month:month>/journal.csv", office.journal, name="journal"),
    path(
        "operator/books/<month:month>/trial-balance.csv",
        office.trial_balance,
        name="trial-balance",
    ),
]

urlpatterns = anybody + signing_in + nodding + givers + makers + operators
