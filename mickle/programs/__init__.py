"""Programs: which programs may nod for a member, each by a token of its own.

Deeds: make, find, revoke, revoke_all. A token is told once, as it is made; only its SHA-256 is
kept. Called by the page that makes them and by the API, which finds whom a token speaks for. A
token gives and takes back nods and reads what its member may read of them, never more.
"""
