#!/usr/bin/env python3
"""Measures questions to an agent, from HTTP to the model provider and back, with a Slack status and the question stored, beside
pydantic-ai and the fastest Python we know to write, all in one run on this machine.

    swift build -c release --static-swift-stdlib && python3 Tests/Benchmarks/agents/benchmark.py

README.md beside it says what each line means.
"""
import argparse
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "storage"))

from house import Octavo, Peer, free_port, python_with_packages, wait_until  # noqa: E402
from measure import ticks, with_cpu, wrk  # noqa: E402

PACKAGES = ["uvicorn[standard]", "asyncpg", "fastapi", "aiohttp", "pydantic-ai-slim[openai]"]
PAUSE = 0.2
CLIENTS = (64, 1000)


class Provider:
    """The model provider and Slack: `provider/`."""

    def __init__(self, programs):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([programs / "octavo-benchmark-provider", str(self.port)])
        wait_until(lambda: self.answers(), "the provider", self.process)

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def pause(self, seconds):
        """How long it thinks from now on."""
        urllib.request.urlopen(f"{self.url}/pause/{round(seconds * 1000)}", data=b"").close()

    def rest(self, seconds):
        """How long after the first token of a streamed answer the others come."""
        urllib.request.urlopen(f"{self.url}/rest/{round(seconds * 1000)}", data=b"").close()

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


class Benchmark:
    def __init__(self, options, octavo, provider, peers):
        self.options, self.octavo, self.provider, self.peers = options, octavo, provider, peers
        self.results = {}

    # Asks at once.

    def asks(self):
        self.provider.pause(PAUSE)
        for clients in CLIENTS:
            # So that all connections are there.
            for system in [self.octavo, *self.peers]:
                wrk(system.url, HERE / "ask.lua", seconds=2, clients=clients, timeout=60)
                self.settle()
        for number in range(self.options.rounds):
            print(f"round {number + 1}, load {os.getloadavg()[0]:.1f}", flush=True)
            for clients in CLIENTS:
                self.ask("Octavo", self.octavo, clients)
                for peer in self.peers:
                    self.ask(peer.name, peer, clients)
        self.report()

    def ask(self, name, system, clients):
        seconds = self.options.seconds
        before = self.told() if system is self.octavo else None
        body = lambda: wrk(system.url, HERE / "ask.lua", seconds=seconds, clients=clients, timeout=60)  # noqa: E731
        result = with_cpu(self.octavo, seconds, body) if before else body()
        line = f"    {name:38} {clients:5} {result.rate:8,.0f}/s  p50 {result.p50:7.0f} ms  p99 {result.p99:7.0f} ms  {result.errors} errors"
        if before:
            after = self.told()
            result.told, result.failed = (b - a for a, b in zip(before, after))
            cpu = "  ".join(f"{process} {value:.0f} us" for process, value in result.cpu.items() if value >= 1)
            line += f"  {result.told} told, {result.failed} not  {cpu}"
        print(line, flush=True)
        self.results.setdefault((name, clients), []).append(result)
        self.settle()

    def settle(self):
        """Returns when nobody works any more on what was asked and not waited for."""
        pids = [peer.process.pid for peer in self.peers] + [pid for pids in self.octavo.processes().values() for pid in pids]
        before = ticks(pids)
        for _ in range(200):
            time.sleep(0.4)
            now = ticks(pids)
            if now - before <= 3:
                return
            before = now

    def told(self):
        """How many statuses Slack took, and how many it did not."""
        with urllib.request.urlopen(f"{self.octavo.url}/metrics") as answer:
            text = answer.read().decode()
        return [int(re.search(rf"^{name}{{.*agent-runner.*}} (\d+)", text, re.M)[1])
                for name in ("octavo_slack_statuses", "octavo_slack_statuses_failed")]

    def report(self):
        print(f"\n| {'':38} | clients | asks/s | p50 ms | p99 ms | of ideal | errors | Octavo is faster |\n|---|--:|--:|--:|--:|--:|--:|--:|")
        for (name, clients), results in self.results.items():
            rate, p50, p99 = (statistics.median(getattr(r, field) for r in results) for field in ("rate", "p50", "p99"))
            ratios = [ours.rate / max(theirs.rate, 0.1) for ours, theirs in zip(self.results["Octavo", clients], results)]
            ratio = "" if name == "Octavo" else f"{statistics.median(ratios):.1f} times [{min(ratios):.1f}-{max(ratios):.1f}]"
            errors = sum(r.errors for r in results)
            print(f"| {name:38} | {clients} | {rate:,.0f} | {p50:.0f} | {p99:.0f} | {rate * PAUSE / clients:.0%} | {errors} | {ratio} |")

    # Runs in flight.

    def many(self):
        runs, rate, hold = self.options.runs, self.options.rate, self.options.runs / self.options.rate + 5
        runner = self.octavo.processes()["agent-runner"][0]
        self.provider.pause(0.1)
        self.client(200, 200, 0.1)
        time.sleep(1)
        before, peak, over = proportional(runner), [0], threading.Event()

        def watch():
            while not over.wait(0.5):
                peak[0] = max(peak[0], proportional(runner))

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.provider.pause(hold)
        load = os.getloadavg()[0]
        report = self.client(runs, rate, hold)
        over.set()
        watcher.join()
        print(
            f"\n{runs:,} runs at once, {rate}/s of {hold:.0f} s each, at most {report['most']:,} in flight, load {load:.1f} before: "
            f"{sum(report['failures'].values())} errors; added p50 {report['p50']:.1f} ms, p99 {report['p99']:.1f} ms, "
            f"slowest {report['slowest']:.0f} ms; agent runner {before:.0f} MB before, {peak[0]:.0f} MB at most: "
            f"{(peak[0] - before) * 1024 / runs:.1f} KB a run"
        )
        for failure, count in report["failures"].items():
            print(f"    {count} times {failure}")

    def client(self, runs, rate, hold):
        """What `octavo-agents-benchmark` reports."""
        command = [
            self.octavo.programs / "octavo-agents-benchmark", self.octavo.state / "run/agent-runner-gateway.sock",
            "--runs", str(runs), "--rate", str(rate), "--hold", str(hold),
        ]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    # The first token.

    def first(self):
        self.provider.pause(0.05)
        # One commit of Postgres is part of it: nothing is shown that is not stored.
        commit = self.commit()
        for rest, told in ((0.02, "20 ms before the others"), (0, "with all others")):
            self.provider.rest(rest)
            load = os.getloadavg()[0]
            elapsed = sorted(first_token(self.octavo.url) for _ in range(self.options.firsts))
            p50, p99 = (elapsed[int((len(elapsed) - 1) * share)] for share in (0.5, 0.99))
            print(
                f"\nfirst token, {told}, {len(elapsed)} streams one after the other, load {load:.1f} before: from the provider's write to "
                f"the client's read p50 {p50:.2f} ms, p99 {p99:.2f} ms; a commit of Postgres by itself takes p50 {commit:.2f} ms"
            )

    def commit(self):
        """In ms: what one row costs that has to be on the disk."""
        self.octavo.psql("peer", "create table if not exists one (id bigint generated always as identity, text text)")
        script = self.octavo.state / "one.pgb"
        script.write_text("insert into one (text) values ('x');\n")
        run = subprocess.run(
            ["pgbench", "-n", "-M", "prepared", "-c", "1", "-t", "300", "-l", "-f", script.name, "-h", self.octavo.database, "-U", "octavo", "peer"],
            cwd=self.octavo.state, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        del run
        log = next(self.octavo.state.glob("pgbench_log.*"))
        return statistics.median(int(line.split()[2]) / 1000 for line in log.open())


def first_token(url):
    """In ms, from the provider's write, whose time is the token, to our read of it."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        body = b'{"agent":"plain","question":"When?"}'
        connection.sendall(
            b"POST /v1/ask HTTP/1.1\r\nhost: octavo\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
        )
        text = b""
        while True:
            piece = connection.recv(65536)
            now = time.monotonic_ns()
            if not piece:
                sys.exit(f"The stream ended without a text: {text.decode()}")
            text += piece
            if token := re.search(rb'"data":{"text":"(\d{9,})', text):
                return (now - int(token[1])) / 1e6


def proportional(pid):
    """MB a process has, of what it shares with others its part."""
    return int(re.search(r"Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text())[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = HERE.parents[2]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    parser.add_argument("--programs", type=pathlib.Path, default=root / ".build/release", help="where the programs are")
    parser.add_argument("--state", type=pathlib.Path, default="/var/tmp/octavo-benchmark", help="made, and removed at the end")
    parser.add_argument("--cache", type=pathlib.Path, default=cache / "octavo-benchmark-agents", help="where the peers' packages are kept")
    parser.add_argument("--seconds", type=int, default=15, help="of each measurement of asks")
    parser.add_argument("--rounds", type=int, default=3, help="how often asks are measured; medians are printed")
    parser.add_argument("--runs", type=int, default=10_000, help="runs in flight at once")
    parser.add_argument("--rate", type=int, default=500, help="how many of them are asked for in a second")
    parser.add_argument("--firsts", type=int, default=200, help="streams whose first token is timed")
    parser.add_argument("--only", nargs="+", choices=["asks", "many", "first"], default=["asks", "many", "first"])
    parser.add_argument("--without-peers", action="store_true", help="only Octavo")
    options = parser.parse_args()
    with ExitStack() as stack:
        provider = Provider(options.programs)
        stack.callback(provider.stop)
        octavo = Octavo(
            options.programs, options.state, data=None, OCTAVO_AGENTS=str(HERE / "files"), OCTAVO_MODEL="openai:gpt-5",
            OPENAI_BASE_URL=provider.url + "/v1", SLACK_BOT_TOKEN="xoxb-benchmark", SLACK_BASE_URL=provider.url + "/slack",
            OCTAVO_RUNS=str(options.runs + 2_000),
        )
        stack.callback(octavo.stop)
        octavo.psql("octavo", "create database peer")
        octavo.psql("peer", file=HERE / "peers/schema.sql")
        peers = []
        if "asks" in options.only and not options.without_peers:
            python = python_with_packages(options.cache, PACKAGES)
            for name, settings in (("FastAPI, asyncpg, pydantic-ai", {}), ("FastAPI, asyncpg, aiohttp alone", {"RAW": "1"})):
                peer = Peer(name, python, octavo, "app:app", ready="/ready", folder=HERE / "peers", PROVIDER=provider.url, **settings)
                stack.callback(peer.stop)
                peers.append(peer)
        benchmark = Benchmark(options, octavo, provider, peers)
        for name in options.only:
            getattr(benchmark, name)()


if __name__ == "__main__":
    main()
