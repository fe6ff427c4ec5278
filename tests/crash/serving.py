"""A server to be killed: forks once for each line it reads, so that the next one is there at once.

`python -m tests.crash.serving SOCKET`, with the number of a listening socket it inherits. For each
line a child serves as `mickle run` does, on the database that DATABASE_URL names, and its process
id is said.
"""

import os
import socket
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mickle.config.settings")
django.setup()

import uvicorn  # noqa: E402 - Django stands first

from mickle.config import asgi  # noqa: E402


def serve(listening: socket.socket) -> None:
    config = uvicorn.Config(
        asgi.application,
        http=asgi.Protocol,
        lifespan="on",
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    uvicorn.Server(config).run([listening])


def main() -> None:
    listening = socket.socket(fileno=int(sys.argv[1]))
    for _line in sys.stdin:
        child = os.fork()
        if not child:
            serve(listening)
            os._exit(0)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main()
