"""The answers that are kept, by address; and by what they are made of. Pure but for those.

Who reads counts asks what answers are made of, and says what was found: answers made of something
else are forgotten. That touches those alone, so that a reading for one new page costs nothing of
the thousands that are kept.
"""

from collections.abc import Iterator

from mickle.edge._answers import Answer, Found
from mickle.edge._asking import Asked
from mickle.edge._counts import Known

AT_MOST = 10_000
# Ten seconds: what is asked for less often is read when it is asked for.
UNUSED_READINGS = 20


class Kept:
    """Answers in order of age; the oldest goes when there are too many."""

    def __init__(self) -> None:
        self._answers: dict[bytes, Answer] = {}
        # What each thing is known as, and where it stands in; answers made of others are forgotten.
        self._found: dict[Asked, Found] = {}
        self._by_asked: dict[Asked, set[bytes]] = {}
        # The same method of the same dictionary for as long as it lives: a busy count asks it.
        self.get = self._answers.get

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answers)

    def clear(self) -> None:
        """Forget all."""
        for kept in (self._answers, self._found, self._by_asked):
            kept.clear()

    def keep(self, url: bytes, answer: Answer) -> None:
        """Keep the answer for an address, in place of the one before."""
        # Taken out first, so that the dictionary stays in order of age and the oldest goes.
        self._forget(url)
        made_of = dict(zip(answer.asked, answer.found, strict=True))
        self.heard(made_of, whole=False)
        self._answers[url] = answer
        self._found |= made_of
        for one in made_of:
            self._by_asked.setdefault(one, set()).add(url)
        if len(self._answers) > AT_MOST:
            self._forget(next(iter(self._answers)))

    def used(self) -> set[Asked]:
        """What the answers given of late are made of; the others are forgotten."""
        for url, answer in list(self._answers.items()):
            answer.unused += 1
            if answer.unused > UNUSED_READINGS:
                self._forget(url)
        return set(self._by_asked)

    def heard(self, found: Known, *, whole: bool) -> None:
        """Forget what is made of other counts; after a `whole` reading, of any that it has not."""
        if whole:
            stale = [one for one, was in self._found.items() if found.get(one) != was]
        else:
            stale = [one for one, now in found.items() if self._found.get(one, now) != now]
        for one in stale:
            for url in list(self._by_asked.get(one, ())):
                self._forget(url)

    def _forget(self, url: bytes) -> None:
        answer = self._answers.pop(url, None)
        for one in answer.asked if answer is not None else ():
            urls = self._by_asked.get(one)
            if urls is not None:
                urls.discard(url)
                if not urls:
                    del self._by_asked[one], self._found[one]
