"""Closing an account: where each cent goes, what happens to nods and works, and the forgetting.

Deeds: close, finish_due, stranded, send_again, audit. Stands above payins, settlement and payouts
because it asks all three. Called by the page of the account, the operator's payouts and the clock.
"""
