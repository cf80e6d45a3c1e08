"""Calls a service over its socket: frames of `LENGTH SP JSON LF` (protocol/README.md)."""
import json
import socket
import sys


class Caller:
    def __init__(self, path, role="gateway", timeout=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.buffer = b""
        self.last = 0
        self._send([{"hello": {"protocol": {"minimum": 1, "maximum": 1}, "role": role, "build": ""}}])
        self._receive()

    def _send(self, messages):
        frames = []
        for message in messages:
            payload = json.dumps(message, separators=(",", ":")).encode()
            frames.append(b"%d %s\n" % (len(payload), payload))
        self.socket.sendall(b"".join(frames))

    def close(self):
        self.socket.close()

    def _receive(self):
        """Every message that is there, at least one; pings are answered."""
        messages = []
        while not messages:
            chunk = self.socket.recv(1 << 18)
            if not chunk:
                raise ConnectionError("the service closed the connection")
            self.buffer += chunk
            while (space := self.buffer.find(b" ", 0, 8)) > 0:
                end = space + 1 + int(self.buffer[:space]) + 1
                if len(self.buffer) < end:
                    break
                message = json.loads(self.buffer[space + 1 : end])
                self.buffer = self.buffer[end:]
                if "ping" in message:
                    self._send([{"pong": message["ping"]}])
                else:
                    messages.append(message)
        return messages

    def one(self, call):
        """Makes a call. Returns what it is refused with, or None."""
        self.last += 1
        self._send([call | {"id": self.last}])
        while True:
            for message in self._receive():
                if message.get("id") == self.last:
                    return message.get("error")

    def many(self, calls, at_once):
        """Makes calls, so many in flight; an error of one ends everything."""
        calls = iter(calls)
        flying = 0
        while True:
            batch = []
            while flying + len(batch) < at_once and (call := next(calls, None)) is not None:
                self.last += 1
                batch.append(call | {"id": self.last})
            if batch:
                self._send(batch)
                flying += len(batch)
            if not flying:
                return
            for message in self._receive():
                if "error" in message:
                    sys.exit(f"refused: {message['error']}")
                flying -= "result" in message
