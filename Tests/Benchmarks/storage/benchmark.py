#!/usr/bin/env python3
"""Measures the storage path, from HTTP to Postgres and back, against pgbench with the same statements and against async
Django and FastAPI with asyncpg, all in one run on this machine.

    swift build -c release --static-swift-stdlib && python3 Tests/Benchmarks/storage/benchmark.py

README.md beside it says what each line means.
"""
import argparse
import os
import pathlib
import statistics
from contextlib import ExitStack

from house import HERE, Octavo, Peer, python_with_packages
from measure import client, forget_peak, memory, pgbench, script, with_cpu, wrk

# What a parameter of a statement becomes in pgbench's script, by its value in the log.
TITLE = r"'Book \d+ \d+'"
NAME = r"'Reader \d+ \d+'"
WORDS = {TITLE: "('Book ' || :book::text || ' ' || :change::text)", NAME: "('Reader ' || :reader::text || ' ' || :change::text)"}

# Path and keys of reading_list.lua.
OWN_LIST = ("/v1/reading-list", "book", "reader")
PEERS_LIST = ("/reading-list", "book_id", "reader_id")


class Benchmark:
    def __init__(self, options, octavo, peers):
        self.options, self.octavo, self.peers = options, octavo, peers
        self.seconds = options.seconds
        self.results = {}

    def variables(self, statements, work):
        """The ids of the one call in the log are those of the book and of the reader."""
        found = {}
        for sql, given in statements:
            for value in given.values():
                words = value.strip("'").split()
                if words[0] in ("Book", "Reader") and len(words) == 3:
                    found[f"'{words[1]}'"] = f":{words[0].lower()}::bigint"
        if work == "get":
            # Its parameters besides the book are the page's: 0, 500 and 501.
            found[r"'(?!0'|500'|501')\d+'"] = ":book::bigint"
        return found | WORDS

    def measure(self, name, body):
        result = with_cpu(self.octavo, self.seconds, body)
        self.results.setdefault(name, []).append(result)
        cpu = "  ".join(f"{process} {value:.0f} us" for process, value in result.cpu.items() if value >= 1)
        print(f"    {name:44} {result.rate:9,.0f}/s  {cpu}", flush=True)

    def round(self, scripts, minimal):
        octavo, seconds = self.octavo, self.seconds
        self.measure("get: pgbench", lambda: pgbench(octavo, "octavo", scripts["get"], seconds))
        self.measure("get: Octavo", lambda: wrk(octavo.url, "books.lua", "/v1/books/", seconds=seconds))
        self.measure("get: Octavo's socket", lambda: client(octavo, "get", seconds))
        if self.peers:
            self.measure("get: pgbench, the peers' statement", lambda: pgbench(octavo, "peer", minimal, seconds))
        for peer in self.peers:
            self.measure(f"get: {peer.name}", lambda: wrk(peer.url, "books.lua", "/books/", seconds=seconds))
        for work in ("rename", "keep"):
            self.measure(f"{work}: pgbench", lambda: pgbench(octavo, "octavo", scripts[work], seconds))
            self.measure(f"{work}: Octavo's socket", lambda: client(octavo, work, seconds))
        self.measure("keep: Octavo", lambda: wrk(octavo.url, "reading_list.lua", *OWN_LIST, seconds=seconds))
        for peer in self.peers:
            self.measure(f"rename: {peer.name}", lambda: wrk(peer.url, "reading_list.lua", *PEERS_LIST, seconds=seconds))
        self.measure("one: pgbench", lambda: pgbench(octavo, "octavo", scripts["get"], seconds, clients=1))
        self.measure("one: Octavo's socket", lambda: client(octavo, "get", seconds, callers=1))

    def run(self):
        scripts = {}
        for work in ("get", "rename", "keep"):
            statements = self.octavo.statements(work)
            scripts[work] = script(statements, self.variables(statements, work))
        minimal = (HERE / "peers/get_book.pgb").read_text()
        # So that every connection to Postgres is open, and every cache warm.
        for peer in self.peers:
            wrk(peer.url, "books.lua", "/books/", seconds=1)
            wrk(peer.url, "reading_list.lua", *PEERS_LIST, seconds=1)
        wrk(self.octavo.url, "books.lua", "/v1/books/", seconds=1)
        client(self.octavo, "keep", 1)
        for number in range(self.options.rounds):
            print(f"round {number + 1}", flush=True)
            self.round(scripts, minimal)
        self.report()
        self.crowd()

    # What is printed at the end.

    def median(self, name, value=lambda result: result.rate):
        return statistics.median(map(value, self.results[name]))

    def ratio(self, name, other):
        """The median of the ratios of each round, and how far they lie apart."""
        ratios = [one.rate / two.rate for one, two in zip(self.results[name], self.results[other])]
        return f"{statistics.median(ratios):.2f} [{min(ratios):.2f}-{max(ratios):.2f}]"

    def report(self):
        print(f"\n| {'':36} | req/s | p50 ms | p99 ms | of pgbench | errors |\n|---|--:|--:|--:|--:|--:|")
        for name, results in self.results.items():
            work = name.partition(":")[0]
            if work == "one":
                continue
            peer = any(name.endswith(p.name) for p in self.peers)
            other = "get: pgbench, the peers' statement" if peer and work == "get" else f"{work}: pgbench"
            latency = ["", ""]
            if results[0].p99 is not None:
                latency = [f"{self.median(name, lambda r: r.p50):.1f}", f"{self.median(name, lambda r: r.p99):.1f}"]
            ratio = "" if "pgbench" in name else self.ratio(name, other)
            errors = "" if "pgbench" in name else str(sum(r.errors for r in results))
            print(f"| {name:36} | {self.median(name):,.0f} | {' | '.join(latency)} | {ratio} | {errors} |")
        for peer in self.peers:
            print(f"GET of a book: {self.ratio('get: Octavo', f'get: {peer.name}')} times {peer.name}")
        pairs = list(zip(self.results["one: Octavo's socket"], self.results["one: pgbench"]))
        hop = statistics.median(ours.p50 - theirs.p50 for ours, theirs in pairs)
        p50 = self.median("one: Octavo's socket", lambda r: r.p50)
        print(f"one caller over the socket: p50 {p50:.3f} ms, which is {hop:.3f} ms above pgbench's")

    def crowd(self):
        storage = self.octavo.processes()["storage"][0]
        idle = memory(storage, "VmRSS")
        forget_peak(storage)
        report = self.octavo.client("get", "--callers", 10_000, "--seconds", 0)
        print(
            f"10,000 calls at once from one client: {sum(report['failures'].values())} errors, "
            f"p50 {report['p50']:.0f} ms, slowest {report['slowest']:.0f} ms ({report['slowest'] / report['p50']:.1f} times); "
            f"storage {memory(storage, 'VmHWM'):.0f} MB at most ({idle:.0f} before), client {report['peakMB']:.0f} MB"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = HERE.parents[2]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    parser.add_argument("--programs", type=pathlib.Path, default=root / ".build/release", help="where the programs are")
    parser.add_argument("--state", type=pathlib.Path, default="/var/tmp/octavo-benchmark", help="made, and removed at the end")
    parser.add_argument("--cache", type=pathlib.Path, default=cache / "octavo-benchmark", help="where the peers' packages are kept")
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="how often all is measured; medians are printed")
    parser.add_argument("--without-peers", action="store_true", help="only Octavo and pgbench")
    options = parser.parse_args()
    with ExitStack() as stack:
        octavo = Octavo(options.programs, options.state)
        stack.callback(octavo.stop)
        peers = []
        if not options.without_peers:
            python = python_with_packages(options.cache)
            octavo.psql("octavo", "create database peer")
            octavo.psql("peer", file=HERE / "peers/schema.sql")
            cores = os.cpu_count()
            for name, application, workers, environment in (
                ("Django, async views", "django/asgi:application", 1, {}),
                ("Django, async views, pool", "django/asgi:application", 1, {"POOL": "1"}),
                ("FastAPI, asyncpg", "fastapi/app:app", 1, {}),
                (f"FastAPI, asyncpg, {cores} workers", "fastapi/app:app", cores, {}),
            ):
                peer = Peer(name, python, octavo, application, workers, **environment)
                stack.callback(peer.stop)
                peers.append(peer)
        Benchmark(options, octavo, peers).run()


if __name__ == "__main__":
    main()
