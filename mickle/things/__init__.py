"""Things: the identities on the web that can be nodded at, what is said of them, who owns them.

Deeds: look, find, find_or_add, bulk_add, describe, set_owner, hold_place, give_scope,
withdraw_scope, refuse, take_down, put_back, note_same, keep_apart, merge.
Anybody may add a thing. Only claims (and closing an account) set an owner; only settlement refuses,
because the shares that wait return in the same step.
"""
