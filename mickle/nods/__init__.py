"""Nods, subscriptions and the public counts.

Deeds: give, take_back, subscribe, unsubscribe, renew, record_many, count_in, void_at_freeze,
put_off_at_freeze. Called by pages, the edge, jobs, settlement (renew and the freeze) and payins
(count_in).
"""
