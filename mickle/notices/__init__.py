"""Notices: mails about a month or a team, and which a member wants; letters to makers.

Deeds: to_plan, plan, to_send, send_due, send_again, forget_old, silence, hear, stop_token,
read_stop. Reminders before a month ends and at its close, a statement when it is settled, word that
a team asks for a yes. Each is a row for a member, a month and a kind before it is a mail, and is
handed to the mail server at most once. Called by workers, the settings page and the operator's page
of jobs. Codes to sign in with are allauth's. `letters` writes to who has a site for
which something waits: next_host, write, stop.
"""
