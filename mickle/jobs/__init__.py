"""Jobs: what was asked of the workers last, who is at it, and how it ended.

Deeds: ask, perform, note_nothing_due, prune. The queue itself is django-tasks' own, in the
database; a job stands in it at most once. Which jobs there are, and when each is due, is known in
ops.
"""
