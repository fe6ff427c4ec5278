"""Claims: whose a page is. An operator decides on a word, or a machine looks at a proof.

claims.py: make, grant, refuse, forget. proofs.py: begin, want_look, look, end, decide, forget.
accounts.py, for those who sign in at a site: start, finish, note, forget. Called by pages, a job
and closing. All set owners; what waits is released by settlement, which owns the split and stands
higher. payouts asks what stands in the way of a payout.
"""
