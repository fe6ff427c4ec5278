"""What a site asks of programs that come by themselves (RFC 9309)."""

from protego import Protego

# Google reads 500 KiB, which RFC 9309 makes the least; lines beyond these say nothing new.
_LINES = 5_000


def may_crawl(text: str, url: str, agent: str) -> bool:
    """Whether the file lets a program of this name read the address."""
    lines = text.splitlines()[:_LINES]
    allowed: bool = Protego.parse("\n".join(lines)).can_fetch(url, name_of(agent))
    return allowed


def name_of(agent: str) -> str:
    """The name in a User-Agent that a site writes in its file: Mickle of Mickle/0.1 (+https...)."""
    return agent.partition("/")[0].strip()
