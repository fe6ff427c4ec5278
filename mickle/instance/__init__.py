"""What kind of instance this is (real, test, demo), its clock, and its months.

Deeds: now, open_month, hold_fence, close, note_frozen, note_settled, announce_fee, move_clock,
become. Everybody may read; only settlement closes, freezes and settles a month; only ops and the
operator's pages move the clock of a test or demo instance.
"""
