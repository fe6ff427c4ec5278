"""Asks an edge as a server would."""

import asyncio
import json
from collections.abc import Callable

from mickle.edge.edge import Edge, Policy

ORIGIN = "http://localhost:8000"


class Answer:
    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status, self.body = status, body
        self.headers = {name.decode(): value.decode() for name, value in headers}

    @property
    def json(self):
        return json.loads(self.body)


class Street:
    """Asks an edge as a server would, on one loop."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.edge = Edge(policy or Policy())
        # What is looked at as an answer begins to be sent.
        self.look: Callable[[], object] | None = None
        self.loop = asyncio.new_event_loop()

    async def ask(
        self, path: str, query: str = "", method: str = "GET", body: bytes = b"", **headers: str
    ) -> Answer:
        sent: list[dict] = []

        async def send(message: dict) -> None:
            if self.look is not None:
                self.look()
            sent.append(message)

        async def receive() -> dict:
            return {"type": "http.request", "body": body}

        named = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
        await self.edge(
            {
                "type": "http",
                "scheme": "http",
                "client": ("127.0.0.1", 1),
                "method": method,
                "path": path,
                "query_string": query.encode(),
                "headers": named,
            },
            receive,
            send,
        )
        start, *bodies = sent
        return Answer(start["status"], start["headers"], b"".join(one["body"] for one in bodies))

    def get(self, path: str, query: str = "", **more: str) -> Answer:
        return self.loop.run_until_complete(self.ask(path, query, **more))

    async def post(self, path: str, content: object, **more: str) -> Answer:
        """What a button of ours posts, unless `more` says otherwise."""
        headers = {
            "host": "localhost:8000",
            "origin": ORIGIN,
            "content_type": "application/json",
            "sec_fetch_site": "same-origin",
        }
        named = {name: text for name, text in (headers | more).items() if text}
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return await self.ask(path, method=named.pop("method", "POST"), body=body, **named)

    def run(self, *asking) -> list:
        """The answers of many at once."""

        async def all_of() -> list:
            return await asyncio.gather(*asking)

        return self.loop.run_until_complete(all_of())

    def together(self, *queries: str) -> list[Answer]:
        return self.run(*(self.ask("/b/count", query) for query in queries))

    def close(self) -> None:
        self.edge.close()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
