"""A client of the gateway, written from docs/en/protocol.md alone: sockets, hashlib, struct, nothing else."""

from __future__ import annotations

import hashlib
import socket
import struct
from collections import deque
from typing import Any

HELLO, WELCOME, ACK, REFUSED, EVENTS, CLOSING, PING, PONG, ATTACH = range(128, 137)
MESSAGE, MESSAGE_STORED, MESSAGE_OUT, DESKS, CONTACTS, DETACHED = 138, 139, 140, 142, 143, 144
ARRIVE, ABANDON, CONNECTED, SIGN_IN, ACCEPT, END, END_WRAP_UP = 3, 4, 5, 7, 12, 14, 15


def pack(value: Any) -> bytes:
    """The part of MessagePack that a client sends."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        if value < 128:
            return bytes([value])
        size = 1 if value < 2**8 else 2 if value < 2**16 else 4 if value < 2**32 else 8
        return bytes([{1: 0xCC, 2: 0xCD, 4: 0xCE, 8: 0xCF}[size]]) + value.to_bytes(size, "big")
    if isinstance(value, bytes):
        return b"\xc4" + bytes([len(value)]) + value
    if isinstance(value, str):
        data = value.encode()
        return b"\xdb" + struct.pack(">I", len(data)) + data
    return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(pack, value))


def unpack(data: bytes, at: int = 0) -> tuple[Any, int]:
    """One value of what the gateway sends, and where it ends."""
    mark, at = data[at], at + 1
    if mark < 0x80 or mark >= 0xE0:
        return (mark if mark < 0x80 else mark - 256), at
    if mark in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[mark], at
    if mark in (0xCA, 0xCB) or 0xCC <= mark <= 0xD3:
        form = ">" + "fdBHIQbhiq"[mark - 0xCA]
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    if mark < 0xC0:  # a short map, list or text
        length = mark & (0x1F if mark >= 0xA0 else 0x0F)
        what = "str" if mark >= 0xA0 else "list" if mark >= 0x90 else "map"
    else:
        narrow = {0xC4: ">B", 0xC5: ">H", 0xD9: ">B", 0xDA: ">H", 0xDC: ">H", 0xDE: ">H"}
        form = narrow.get(mark, ">I")
        length = struct.unpack_from(form, data, at)[0]
        at += struct.calcsize(form)
        what = "bin" if mark <= 0xC6 else "str" if mark <= 0xDB else "list" if mark <= 0xDD else "map"
    if what in ("bin", "str"):
        piece = data[at : at + length]
        return (piece if what == "bin" else piece.decode()), at + length
    values = []
    for _ in range(length * (2 if what == "map" else 1)):
        value, at = unpack(data, at)
        values.append(value)
    return (values if what == "list" else dict(zip(values[::2], values[1::2], strict=True))), at


class Closed(Exception):
    """The connection is over; `code` is the gateway's, or "lost"."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class GatewayClient:
    """One connection; `seq` is the last batch that was dealt with."""

    def __init__(self, address: Any, token: str, resume_seq: Any = None, versions: Any = (1, 1)) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(20)
        self.socket.connect(address)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.sent = 0
        self.answers: dict[int, Any] = {}
        self.events: deque[tuple[int, int, list[Any]]] = deque()
        self.frames: deque[list[Any]] = deque()
        self.send(HELLO, token, "a client from the page", resume_seq, versions)
        while (welcome := self.frame())[0] != WELCOME:
            self.take(welcome)
        self.site, welcomed_at, self.names, self.key, self.credit = [*welcome[2:6], welcome[7]]
        self.version: int = [*welcome, 1][9]
        self.seq: int = welcomed_at if resume_seq is None else resume_seq

    def send(self, kind: int, *fields: Any) -> None:
        body = pack([kind, 1, *fields])
        self.socket.sendall(struct.pack(">I", len(body)) + body)

    def frame(self) -> list[Any]:
        while (end := 4 + int.from_bytes(self.buffer[:4], "big")) > len(self.buffer):
            data = self.socket.recv(65_536)
            if not data:
                raise Closed("lost")
            self.buffer += data
        body, self.buffer = self.buffer[4:end], self.buffer[end:]
        return unpack(body)[0]

    def take(self, frame: list[Any]) -> None:
        kind = frame[0]
        if kind == PING:
            self.send(PONG, frame[2])
        elif kind == ACK:
            self.answers.update({one[0]: ("ack", one[2], one[3]) for one in frame[3]})
        elif kind == REFUSED and frame[2] is not None:
            self.answers[frame[2]] = ("refused", frame[3], [*frame, 0][5])
        elif kind == EVENTS:
            assert frame[2] > self.seq, "no gap is to be seen, but a repeat would be"
            self.seq = frame[2]
            self.events += [(frame[2], index, event) for index, event in frame[4]]
        elif kind == CLOSING:
            self.socket.close()
            raise Closed(frame[2], frame[3])
        else:
            self.frames.append(frame)

    def command(self, kind: int, *fields: Any) -> int:
        self.send(kind, *fields)
        self.sent += 1
        return self.sent - 1

    def answer(self, number: int) -> Any:
        """Wait for a command's answer: ("ack", code, value) or ("refused", code, retry_after_ms)."""
        while number not in self.answers:
            self.take(self.frame())
        return self.answers.pop(number)

    def event(self, kind: int) -> list[Any]:
        """Wait for the next event of a kind; those before it are let go."""
        while not (self.events and self.events[0][2][0] == kind):
            self.events.popleft() if self.events else self.take(self.frame())
        return self.events.popleft()[2][2:]

    def other(self, kind: int) -> list[Any]:
        """Wait for the next other frame of a kind."""
        while not (self.frames and self.frames[0][0] == kind):
            self.frames.popleft() if self.frames else self.take(self.frame())
        return self.frames.popleft()[2:]

    def arrival_key(self, account: str, external_id: str) -> bytes:
        digest = hashlib.blake2b(key=self.key, digest_size=16)
        for text in (account.encode(), external_id.encode()):
            digest.update(struct.pack(">I", len(text)) + text)
        return digest.digest()
