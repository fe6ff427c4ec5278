"""The one place where the edge asks how late it is, in monotonic seconds."""

from time import monotonic

now = monotonic
