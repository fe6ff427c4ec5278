"""Claims: a member says that a thing is theirs, and an operator looks and decides.

Deeds: make, grant, refuse, forget. Called by pages and by closing. Granting sets the owner; the
caller then lets settlement release what waits, for settlement owns the split and stands higher.
"""
