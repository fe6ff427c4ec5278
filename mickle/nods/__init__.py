"""Nods, subscriptions and the public counts.

Deeds: give, take_back, subscribe, unsubscribe, renew, record_many, count_in, void_at_freeze.
Called by pages, the edge, jobs, settlement (renew, void_at_freeze) and payins (count_in).
"""
