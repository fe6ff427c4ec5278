"""Closing an account: where each cent goes, what happens to nods and works, and the forgetting.

Deeds: close, finish_due. Stands above payins, settlement and payouts because it asks all three.
Called by the page of the account and by the daily job.
"""
