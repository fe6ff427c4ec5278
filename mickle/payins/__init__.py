"""Money from outside: bank transfers booked by their reference, play money, revenue moved to funds.

Deeds: book, top_up, assign, play, to_funds, audit. What belongs to nobody known, or would lift
funds over the limit, stands in UNASSIGNED; payouts.send_back returns it. Called by the cash desk,
commands and pages; whoever books for an owner calls settlement.release_owner afterwards.
"""
