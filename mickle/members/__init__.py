"""People: who they are, what they give a month, which charity they chose.

Deeds: join, set_budget, set_privacy, describe, note_top_up, invite, wait_for_invite, erase, and the
list of charities. Called by the pages, commands, payins and closing.
"""
