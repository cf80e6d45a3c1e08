"""Plays a dialogue of `> FRAME` and `< FRAME` lines, as the pages of the protocol show them, with a service.

python3 dialogue.py SOCKET PAGE: what is said between two frames of the caller may come in any order."""

import socket, sys

peer = socket.socket(socket.AF_UNIX)
peer.settimeout(30)
peer.connect(sys.argv[1])
answers = peer.makefile("rb")
expected = []


def hear():
    heard = [answers.readline().decode().rstrip("\n") for _ in expected]
    if sorted(heard) != sorted(expected):
        sys.exit("expected " + "\n".join(expected) + "\nand got " + "\n".join(heard))
    expected.clear()


for line in open(sys.argv[2], encoding="utf-8"):
    line = line.rstrip("\n")
    if line.startswith("    < "):
        expected.append(line[6:])
    elif line.startswith("    > "):
        hear()
        peer.sendall((line[6:] + "\n").encode())
hear()
print("as the page says")
