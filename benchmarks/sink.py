"""A venue that takes everything: notes when the first byte of an order comes, and says so.

Guarantees that nothing but a socket and the kernel is between the two moments: a process of its
own, one blocking thread a connection, no framework. Both processes read the same monotonic clock.
"""

import json
import socket
import sys
import threading
import time
from email.utils import formatdate

HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


def serve(listener: socket.socket) -> None:
    """Take connections for ever."""
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=answer_all, args=(connection,), daemon=True).start()


def answer_all(connection: socket.socket) -> None:
    """Answer each order with its number: the moment at which its first byte came."""
    while data := connection.recv(65_536):
        came_ns = time.perf_counter_ns()
        while not is_whole(data):
            data += connection.recv(65_536)
        connection.sendall(answer(data, came_ns))


def is_whole(data: bytes) -> bool:
    """Tell whether a request is all there."""
    head = data.find(HEAD_END)
    if head < 0:
        return False
    begin = data.index(_LENGTH) + len(_LENGTH)
    length = int(data[begin : data.index(b"\r", begin)])
    return len(data) >= head + len(HEAD_END) + length


def answer(data: bytes, came_ns: int) -> bytes:
    """Return what Kalshi answers to an order that rests."""
    order = json.loads(data[data.index(HEAD_END) + len(HEAD_END) :])
    body = json.dumps(
        {
            "order_id": str(came_ns),
            "client_order_id": order["client_order_id"],
            "fill_count": "0.00",
            "remaining_count": order["count"],
            "ts_ms": time.time_ns() // 1_000_000,
        }
    ).encode()
    head = (
        f"HTTP/1.1 201 Created\r\ndate: {formatdate(usegmt=True)}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        sys.stdin.read()  # until whoever started this ends it
