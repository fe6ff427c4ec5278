"""Token buckets: how much one address or member may ask for. Pure but for what it remembers."""

from collections.abc import Hashable


class Buckets:
    """A bucket for each key; bounded in memory.

    Kept is the instant at which a bucket is full again, so one number is all there is to a bucket.
    """

    def __init__(self, *, a_second: float, burst: float, at_most: int = 50_000) -> None:
        self._cost_s = 1 / a_second if a_second else 0.0
        self._room_s = burst * self._cost_s
        # Costs that are added up one by one may come to a little more than all at once.
        self._slack_s = self._cost_s / 1000
        self._at_most = at_most
        self._full_at: dict[Hashable, float] = {}

    def take(self, key: Hashable, now: float) -> bool:
        """Take a token; False, and nothing taken, when there is none. `now` in seconds."""
        full_at = self._full_at.get(key, now)
        full_at = max(full_at, now) + self._cost_s
        if full_at - now > self._room_s + self._slack_s:
            return False
        if len(self._full_at) >= self._at_most and key not in self._full_at:
            self._make_room(now)
        self._full_at[key] = full_at
        return True

    def charge(self, key: Hashable, now: float, tokens: float) -> None:
        """Take more for what turned out to be dear, though it makes a debt."""
        self._full_at[key] = max(self._full_at.get(key, now), now) + tokens * self._cost_s

    def wait_s(self, key: Hashable, now: float) -> float:
        """Seconds until one can be taken."""
        full_at = max(self._full_at.get(key, now), now) + self._cost_s
        return max(full_at - now - self._room_s, 0.0)

    def _make_room(self, now: float) -> None:
        """Forget the full ones; when a crowd has emptied them all, the longest known half."""
        # Copied first: another thread may take of them meanwhile.
        kept = {key: at for key, at in list(self._full_at.items()) if at > now}
        if len(kept) >= self._at_most:
            kept = dict(list(kept.items())[self._at_most // 2 :])
        self._full_at = kept
