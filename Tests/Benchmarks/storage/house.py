"""Starts and stops what is measured: Octavo with its private Postgres, and the peers on a database in the same Postgres."""
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import venv

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = ["django==5.2.*", "uvicorn[standard]", "psycopg[binary,pool]", "asyncpg", "fastapi"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, process):
    end = time.monotonic() + 120
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"{what} did not start")
        time.sleep(0.05)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


class Octavo:
    """`octavo up` in a folder of its own; with `books.sql` ten thousand books, two thousand authors and ten thousand readers."""

    def __init__(self, programs, state, data=HERE / "books.sql", **settings):
        self.programs, self.state = programs, state
        if state.exists():
            sys.exit(f"{state} is there already; remove it, or choose another with --state")
        self.url = f"http://127.0.0.1:{free_port()}"
        self.socket = state / "run/storage-gateway.sock"
        self.database = state / "postgres"
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL" and not k.startswith("OPENAI")} | settings
        port = self.url.rpartition(":")[2]
        self.process = subprocess.Popen(
            [programs / "octavo", "up", "--state", state, "--port", port],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
        )
        # What it has said last, which nobody wants to see unless it ends. It is read on, or it would stop when the pipe is full.
        self.said = collections.deque(maxlen=40)
        for line in self.process.stdout:
            self.said.append(line)
            if "Ctrl-C stops" in line:
                break
        else:
            sys.exit("octavo up did not start:\n" + "".join(self.said))
        threading.Thread(target=lambda: self.said.extend(self.process.stdout), daemon=True).start()
        # Django opens a connection for each request, and finds a hundred too few; `octavo up` starts Postgres again.
        self.psql("octavo", "alter system set max_connections = 500")
        os.kill(self.postmaster(), signal.SIGINT)
        time.sleep(1)
        wait_until(lambda: answers(f"{self.url}/v1/books"), "Postgres", self.process)
        if data:
            self.psql("octavo", file=data)

    def psql(self, database, statement=None, file=None, errors=None):
        what = ["-c", statement] if statement else ["-f", file]
        return subprocess.run(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.database, "-U", "octavo", database, *what],
            check=True, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | {"PGOPTIONS": "-c client_min_messages=warning"},
        ).stdout.strip()

    def postmaster(self):
        return int((self.database / "data/postmaster.pid").read_text().split()[0])

    def processes(self):
        """Process ids by what they are: `gateway`, `agent-runner`, `storage`, and `Postgres` for all of its."""
        found = {"gateway": [], "agent-runner": [], "storage": [], "Postgres": []}
        postmaster = self.postmaster()
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                name, rest = re.fullmatch(r"\d+ \((.*)\) \S (.*)", entry.read_text(), re.S).groups()
            except OSError:
                continue
            pid, parent = int(entry.parent.name), int(rest.split()[0])
            if parent == postmaster:
                found["Postgres"].append(pid)
            elif parent == self.process.pid and name.startswith("octavo-"):
                # The kernel keeps fifteen bytes of a name.
                for service in found:
                    if service.startswith(name[7:]):
                        found[service].append(pid)
        return found

    def statements(self, *call):
        """The statements storage sends for one call of `octavo-benchmark`, with their parameters, from Postgres' log."""
        set_log = "alter system set log_min_duration_statement = {}"
        log = self.database / "server.log"
        self.psql("octavo", set_log.format(0))
        self.psql("octavo", "select pg_reload_conf()")
        time.sleep(0.5)
        start = log.stat().st_size
        self.client(*call, "--callers", "1", "--seconds", "0")
        self.psql("octavo", set_log.format(-1))
        self.psql("octavo", "select pg_reload_conf()")
        time.sleep(0.5)
        with open(log, encoding="utf-8") as file:
            file.seek(start)
            text = file.read()
        # A statement's further lines begin with a tab. What storage does by itself meanwhile comes over other connections.
        pattern = r" \[(\d+)\] LOG: .*  execute octavo_\w+: (.*(?:\n\t.*)*)\n.* DETAIL:  parameters: (.*)"
        found = re.findall(pattern, text)
        backend = next((pid for pid, sql, _ in found if "book" in sql), None)
        value = r"(\$\d+) = ('(?:[^']|'')*'|NULL)"
        # Housekeeping may use the same connection in that second.
        own = [(sql, given) for pid, sql, given in found if pid == backend and re.search("book|reader", sql)]
        return [(sql, dict(re.findall(value, given))) for sql, given in own]

    def client(self, *arguments):
        """What `octavo-benchmark` reports."""
        command = [self.programs / "octavo-benchmark", self.socket, *map(str, arguments)]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    def stop(self):
        if self.process.poll() is not None:
            print("octavo up had ended by itself:\n" + "".join(self.said), file=sys.stderr)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        shutil.rmtree(self.state)


class Peer:
    """One of the others, under uvicorn."""

    def __init__(self, name, python, octavo, application, workers=1, ready="/books/1", folder=HERE / "peers", **environment):
        self.name = name
        self.url = f"http://127.0.0.1:{free_port()}"
        subfolder, _, target = application.rpartition("/")
        settings = {"PGHOST": str(octavo.database), "PGUSER": "octavo", "PGDATABASE": "peer", "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            [python, "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error",
             "--workers", str(workers), "--port", self.url.rpartition(":")[2], target],
            cwd=folder / subfolder, env=os.environ | settings | environment, stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: answers(self.url + ready), name, self.process)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def python_with_packages(cache, packages=PACKAGES):
    """The interpreter of an environment with the peers' packages, made at the first use."""
    python = cache / "bin/python"
    if not (cache / "complete").exists():
        venv.create(cache, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        (cache / "complete").touch()
    return python
