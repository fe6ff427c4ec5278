"""The one base of all refusals that a person may read."""


class Refused(Exception):
    """Says in a sentence what was refused and what to do; nothing was changed."""
