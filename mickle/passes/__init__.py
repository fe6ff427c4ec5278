"""Passes: a member's word that nods on one site need no question.

Deeds: grant, exchange, trust_link, use_link, revoke. A button's pass is a secret of one browser on
one site; the trust in a link lets the nod page post itself. Called by pages and the edge, which
finds and marks passes by the SQL of `write.py`. A pass gives and takes back nods of its site,
nothing else.
"""
