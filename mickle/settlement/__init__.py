"""Month end: budgets become shares; what may not be received waits, is released or returns.

Deeds: close_due, settle, rehearse, release, release_owner, take_back_waiting, refuse, and the
statements. Called by commands, jobs and the operator's pages; owns the split and the lines of each
month.
"""
