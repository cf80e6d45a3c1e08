"""Asks an Octavo service for its health. Written from protocol/ alone, with the standard library alone."""
import json
import socket
import sys

LIMIT = 1_048_576


def send(connection, message):
    payload = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    connection.sendall(b"%d %s\n" % (len(payload), payload))


def receive(stream):
    header = b""
    while not header.endswith(b" "):
        octet = stream.read(1)
        if not octet or len(header) > 7:
            raise ConnectionError("no frame")
        header += octet
    length = int(header)
    if length > LIMIT:
        raise ConnectionError("frame over the limit")
    payload = stream.read(length)
    if len(payload) != length or stream.read(1) != b"\n":
        raise ConnectionError("frame cut")
    return json.loads(payload)


with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as stream:
    connection.connect(sys.argv[1])
    send(connection, {"hello": {"protocol": {"minimum": 1, "maximum": 1}, "role": "admin", "build": "python"}})
    print("speaks", receive(stream)["hello"]["protocol"]["maximum"])
    send(connection, {"ping": 7})
    print("pong", receive(stream)["pong"])
    send(connection, {"id": 1, "call": "health"})
    answer = receive(stream)
    if "error" in answer:
        sys.exit(answer["error"]["message"])
    for key, value in answer["result"].items():
        print(key, value)
