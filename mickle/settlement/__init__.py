"""Month end: budgets become shares; what may not be received waits, is released or returns.

Deeds: close_due, settle, rehearse, release, release_owner, take_back_waiting, refuse, the
statements and the proofs. Called by commands, jobs and the operator's pages; owns the split, the
lines and the proof of each month.
"""
