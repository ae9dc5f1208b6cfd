"""Clients that hold a service up: heads, bodies and chunks a byte a second, answers never read.

Usage: python hostile.py PORT COUNT SECONDS (COUNT of each kind; only 127.0.0.1, ends by itself).
"""

import asyncio
import socket
import sys
import time
from collections.abc import Iterator

HEAD = b"GET /healthz HTTP/1.1\r\nX-Slow: "
POST = b"POST /fhir/$versions HTTP/1.1\r\nHost: a\r\nContent-Type: application/fhir+json\r\n"
LARGE = (
    b"GET /fhir/PlanDefinition?_include=*&_include:iterate=*&_count=500 HTTP/1.1\r\nHost: a\r\n\r\n"
)
DRIPPING = (
    (HEAD, b"a"),
    (POST + b"Content-Length: 5000\r\n\r\n", b" "),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
)


async def drip(port: int, first: bytes, drop: bytes, until: float) -> None:
    """Send a head, then next to nothing, again and again."""
    while time.monotonic() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(first)
            while time.monotonic() < until and not reader.at_eof() and not writer.is_closing():
                await asyncio.sleep(1)
                writer.write(drop)
                await writer.drain()
            writer.close()
        except OSError:
            await asyncio.sleep(0.2)


async def ask_and_never_read(port: int, until: float) -> None:
    """Ask for twelve large answers at once, and read none."""
    loop = asyncio.get_running_loop()
    while time.monotonic() < until:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            try:
                await loop.sock_connect(client, ("127.0.0.1", port))
                await asyncio.wait_for(loop.sock_sendall(client, LARGE * 12), 5)
            except (OSError, TimeoutError):
                await asyncio.sleep(0.2)
                continue
            # As long as it lasts; whoever is cut off comes again.
            ends = min(until, time.monotonic() + 40)
            while time.monotonic() < ends:
                await asyncio.sleep(0.5)
                try:
                    client.sendall(b"")
                    if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                        break
                except OSError:
                    break


def clients(port: int, count: int, until: float) -> Iterator[object]:
    """Yield so many clients of each kind."""
    for _ in range(count):
        for first, drop in DRIPPING:
            yield drip(port, first, drop, until)
        yield ask_and_never_read(port, until)


async def main(port: int, count: int, seconds: float) -> None:
    """Run all clients at once for a while."""
    until = time.monotonic() + seconds
    await asyncio.gather(*clients(port, count, until))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
