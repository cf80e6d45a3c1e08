"""What the checks use: programs, units, HTTP, frames."""

import contextlib
import fcntl
import http.client
import json
import os
import socket
import struct
import subprocess
import time

CHECKOUT = os.environ.get("CHECKOUT", "")
PROGRAMS = os.environ.get("PROGRAMS", "")
SERVICES = ["octavo-storage", "octavo-agent-runner", "octavo-gateway"]
ADMIN_SOCKETS = [f"/run/octavo/{name}-admin.sock" for name in ("storage", "agent-runner", "gateway")]
OTHER_SOCKETS = [f"/run/octavo/{name}.sock" for name in ("storage-gateway", "storage-agent-runner", "agent-runner-gateway")]
SOCKET_UNITS = [f"octavo-{os.path.basename(path)}et" for path in ADMIN_SOCKETS + OTHER_SOCKETS] + ["octavo-gateway-http.socket"]
DROP_INS = "/etc/systemd/system"


class Unproven(Exception):
    """The machine cannot show whether it holds; the text says why."""


def run(*words, check=True, timeout=100):
    """Runs a program and returns what it printed."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    assert not check or done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}: {done.stdout[-2000:]}"
    return done.stdout


def show(unit, name):
    return run("systemctl", "show", "--value", f"--property={name}", unit).strip()


def pid(service):
    return int(show(f"{service}.service", "MainPID"))


def active(unit):
    return show(unit, "ActiveState") == "active"


def journal(unit, lines=10):
    return run("journalctl", f"--unit={unit}", "--output=cat", "--no-pager", f"--lines={lines}")


def eventually(holds, seconds=60, what="it"):
    """Waits for something that another process brings about."""
    end = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not come true in {seconds} s"
        time.sleep(0.05)


def drop_in(unit, text):
    """A drop-in of the admin's, in force with the unit's next start; None takes it away."""
    folder = f"{DROP_INS}/{unit}.d"
    path = f"{folder}/boot-test.conf"
    if text is None:
        os.remove(path)
        os.rmdir(folder)
    else:
        os.makedirs(folder, exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
    run("systemctl", "daemon-reload")


@contextlib.contextmanager
def own_address(address, number):
    """One more address of this machine, on its loopback, as if somebody stood there."""
    SIOCSIFADDR, SIOCSIFFLAGS = 0x8916, 0x8914
    name = f"lo:{number}".encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16sHH4s8s", name, socket.AF_INET, 0, socket.inet_aton(address), b""))
        yield
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14s", name, 0, b""))


def stop_services():
    run("systemctl", "stop", *[f"{service}.service" for service in reversed(SERVICES)])
    for service in SERVICES:
        assert not active(f"{service}.service"), f"{service} runs"


def request(method, path, body=None, headers=None, timeout=60, connection=None):
    """One request to the gateway; the status and the text."""
    own = connection or http.client.HTTPConnection("127.0.0.1", 8080, timeout=timeout)
    try:
        text = json.dumps(body) if body is not None else None
        own.request(method, path, text, {"Content-Type": "application/json"} | (headers or {}) if text else headers or {})
        answer = own.getresponse()
        return answer.status, answer.read().decode()
    finally:
        if connection is None:
            own.close()


def ask(question="How long may a frame be?"):
    """The answer to a question, which has to cite."""
    status, text = request("POST", "/v1/ask", {"question": question})
    assert status == 200, f"{status} {text}"
    assert "1 048 576" in text or "citations" in text, text
    return text


def health(path, timeout=30):
    """What a service answers on its admin socket; connecting starts it."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(timeout)
        peer.connect(path)
        peer.sendall(b'24 {"id":1,"call":"health"}\n')
        answer = b""
        while not answer.endswith(b"\n"):
            part = peer.recv(65536)
            assert part, f"{path} closed the connection after {answer!r}"
            answer += part
    return json.loads(answer.split(b" ", 1)[1])["result"]


def ready(seconds=60):
    """Waits until every service says it is ready."""
    for path in ADMIN_SOCKETS:
        eventually(lambda: health(path)["ready"], seconds, f"{path} ready")


def sql(statement, user="postgres", database="octavo", check=True):
    """What Postgres says to a user of the machine who comes as the role of the same name."""
    words = ["psql", "-XAtq", "-h", "/run/postgresql", "-U", user, "-d", database, "-c", statement]
    return run("runuser", "-u", user, "--", *words, check=check).strip()
