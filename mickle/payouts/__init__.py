"""Money to outside: earnings, refunds, charities, money of nobody known; the files for the bank.

Deeds: set_account, quote, request, refund, pay_rest, refund_rest, send_back, pay_charities,
make_file, mark_executed, mark_failed, audit. A payout is an intent first, its amount in PAYOUT; it
leaves the books when the bank has done it, and comes back by a second transfer when the bank has
not. Called by pages, commands and closing.
"""
