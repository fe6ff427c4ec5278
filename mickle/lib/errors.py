"""The bases of all refusals that a person may read."""


class Refused(Exception):
    """Says in a sentence what was refused and what to do; nothing was changed."""


class NeedsAPerson(Refused):
    """A refusal because something is wrong: it does not pass before a person has looked."""
