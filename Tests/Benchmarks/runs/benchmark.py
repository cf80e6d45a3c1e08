#!/usr/bin/env python3
"""Measures runs with an empty agent, from their acceptance over a socket to their end in the record, beside pgbench with a
plain queue table, in one run on this machine.

    swift build -c release --static-swift-stdlib && python3 Tests/Benchmarks/runs/benchmark.py

README.md beside it says what each line means.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "storage"))
from caller import Caller  # noqa: E402
from house import Octavo, python_with_packages  # noqa: E402
from kills import VERDICT, Killer, Patient  # noqa: E402
from measure import TICK, memory, ticks  # noqa: E402
from second_host import SecondHost  # noqa: E402


PARTS = ["reference", "procrastinate", "batches", "singly", "pickup", "recovery", "soak", "old_snapshot", "cut_off", "kills"]


class House(Octavo):
    """As for the storage path, with a look into the record."""

    def value(self, sql, errors=None):
        found = self.psql("octavo", f"select to_json(x) from ({sql}) as x (value)", errors=errors)
        return json.loads(found or "null")["value"]

    def wait_for_all(self, seconds=120):
        end = time.monotonic() + seconds
        while self.value("select count(*) from run_work"):
            if time.monotonic() > end:
                sys.exit(f"after {seconds} s there are runs that have not ended")
            # Looking costs, where a snapshot keeps what is dead; when they ended is in the record.
            time.sleep(0.3)

    def wait_until_up(self, seconds=120):
        """After something was killed."""
        end = time.monotonic() + seconds
        while True:
            try:
                there = self.value("select 1", errors=subprocess.DEVNULL)
                return there and self.pid("storage") and self.pid("agent-runner")
            except (subprocess.CalledProcessError, IndexError):
                if time.monotonic() > end:
                    sys.exit(f"not everything is back after {seconds} s")
                time.sleep(0.2)

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{self.pid(name)}/fd")) for name in ("storage", "agent-runner"))

    def memory(self):
        """MB that the services have, by name."""
        return {name: memory(self.pid(name), "VmRSS") for name in ("storage", "agent-runner", "gateway")}

    def pid(self, service):
        """Of the service that `octavo up` has started last."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid), "-x", f"octavo-{service}"[:15]], stdout=subprocess.PIPE)
        return int(found.stdout.split()[-1])

    def cpu(self):
        """Seconds of CPU by process, so far."""
        pids = self.processes()
        del pids["gateway"]
        return {name: ticks(pids) / TICK for name, pids in pids.items()}

    def pickup(self, after):
        """Milliseconds from the acceptance of runs to their first event: median, 95th and 99th percentile."""
        return self.value(f"""
            select percentile_disc(array[0.5, 0.95, 0.99]) within group (order by ms) from (
                select extract(epoch from (event ->> 'at')::timestamptz - created_at) * 1000 as ms
                from run join run_event on run_id = run.id and sequence = 1 where created_at > '{after}') as runs""")

    def now(self):
        return self.value("select clock_timestamp()")


def enqueue(count):
    return [
        {"call": "runs.enqueue", "arguments": {"run": new_id(), "agent": "echo", "question": {"text": "How?", "channel": "http"}}}
        for _ in range(count)
    ]


def new_id():
    """A UUID of version 7."""
    value = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 7 << 76
    return str(uuid.UUID(int=value & ~(3 << 62) | 2 << 62))


class Benchmark:
    def __init__(self, house, options):
        self.house, self.options = house, options
        self.caller = Caller(house.socket)
        self.lines = []

    def line(self, what, value, goal=""):
        self.lines.append((what, value, goal))
        print(f"    {what}: {value}", flush=True)

    def batches(self):
        self.throughput("in batches of 50", 50, self.options.runs)

    def singly(self):
        self.throughput("one by one, 48 calls in flight", 1, self.options.runs // 2)

    def pickup(self):
        self.at_rate("pickup at 100/s", self.options.seconds)

    def throughput(self, name, batch, count):
        """Accepted as fast as they are taken, while the runner carries them out."""
        begin, before = self.house.now(), self.house.cpu()
        calls = [{"call": "transactions.run", "arguments": {"operations": enqueue(batch)}} for _ in range(count // batch)]
        self.caller.many(calls if batch > 1 else enqueue(count), at_once=8 if batch > 1 else 48)
        accepted = self.house.now()
        self.house.wait_for_all()
        rate, taken = self.house.value(f"""
            select array[count(*) / extract(epoch from max(finished_at) - min(created_at)),
                count(*) / extract(epoch from '{accepted}'::timestamptz - min(created_at))]
            from run where created_at > '{begin}'""")
        cpu = ", ".join(
            f"{process} {(seconds - before[process]) / count * 1e6:.0f} µs" for process, seconds in self.house.cpu().items()
        )
        self.line(name, f"{rate:,.0f} runs/s end to end (accepted at {taken:,.0f}/s; CPU a run: {cpu})", "≥ 1,500, reach 4,000")
        return rate

    def at_rate(self, name, seconds, goal="p95 ≤ 20 ms", on_second=lambda _: None):
        """One by one, a hundred a second."""
        begin = self.house.now()
        start = time.monotonic()
        for number in range(seconds * 100):
            time.sleep(max(0, start + number / 100 - time.monotonic()))
            self.caller.many(enqueue(1), at_once=1)
            if number % 100 == 99:
                on_second(number // 100 + 1)
        self.house.wait_for_all()
        p50, p95, p99 = self.house.pickup(begin)
        self.line(name, f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms", goal)

    def recovery(self):
        """The runner is killed while it has a backlog; `octavo up` starts it again after a second."""
        self.caller.many([{"call": "transactions.run", "arguments": {"operations": enqueue(100)}} for _ in range(100)], at_once=4)
        os.kill(self.house.pid("agent-runner"), signal.SIGKILL)
        killed = self.house.now()
        self.house.wait_for_all()
        pause, restarted = self.house.value(f"""
            select array[extract(epoch from min((event ->> 'at')::timestamptz) filter (where event ->> 'type' = 'status')
                    - '{killed}'::timestamptz),
                count(*) filter (where event ->> 'type' = 'restarted')]
            from run_event join run on run.id = run_id
            where (event ->> 'at')::timestamptz > '{killed}'::timestamptz + interval '100 ms'""")
        self.line("runner killed with a backlog", f"goes on after {pause:.2f} s", "≤ 2 s, 1 s of it until it is started again")

    def kills(self):
        """A hundred runs a second while something is killed every other second."""
        if not self.options.kills:
            return
        self.caller.close()
        begin, before = self.house.now(), self.house.descriptors()
        caller, killer = Patient(self.house.socket), Killer(self.house)
        killer.start()
        count = self.options.kills * 100
        start = time.monotonic()
        for number in range(count):
            time.sleep(max(0, start + number / 100 - time.monotonic()))
            caller.one(enqueue(1)[0])
            if self.house.process.poll() is not None:
                sys.exit(f"octavo up has ended; killed until then: {killer.killed}")
        killer.stop()
        self.house.wait_until_up()
        self.house.wait_for_all()
        there, succeeded, whole = self.house.value(VERDICT.format(begin=begin))
        killed = ", ".join(f"{name} {times}" for name, times in sorted(killer.killed.items()))
        self.line(
            f"{count:,} runs, killed meanwhile: {killed}",
            f"{there:,} there, {succeeded:,} succeeded, {whole:,} logs whole; descriptors {before} before, "
            f"{self.house.descriptors()} after; calls without an answer for {Patient.LONG} s: {caller.silent}",
            "every one, once; none",
        )
        if not there == succeeded == whole == count:
            sys.exit("runs were lost, or did not end once")
        self.caller = Caller(self.house.socket)

    def cut_off(self):
        """Of two hosts on one Postgres the second is cut off from it in the middle of its work, and heard of again at the end."""
        other = SecondHost(self.options.programs, self.house.database)
        try:
            begin, count = self.house.now(), 10_000
            calls = [{"call": "transactions.run", "arguments": {"operations": enqueue(100)}} for _ in range(count // 100)]
            self.caller.many(calls, at_once=4)
            other.cut()
            held = self.house.value("select count(*) from run_work where state = 'running'")
            cut = self.house.now()
            self.house.wait_for_all()
            other.mend()
            # What the second host had sent, or sends now, arrives at leases that are others' by then, and ended.
            time.sleep(5)
            there, succeeded, whole = self.house.value(VERDICT.format(begin=begin))
            again, seconds = self.house.value(f"""
                select array[count(*) filter (where attempt > 1), extract(epoch from max(finished_at) - '{cut}'::timestamptz)]
                from run where created_at > '{begin}'""")
        finally:
            other.stop()
        self.line(
            f"{count:,} runs on two hosts, one cut off with {held} runs leased",
            f"{there:,} there, {succeeded:,} succeeded, {whole:,} logs whole; {again:.0f} carried out once more; the last {seconds:.0f} s "
            "after the cut", "every one, once",
        )
        if not there == succeeded == whole == count:
            sys.exit("runs were lost, or did not end once")

    def soak(self):
        worst = []

        def look(_):
            dead = self.house.value("select n_dead_tup from pg_stat_user_tables where relname = 'run_work'")
            worst.append(dead)

        before, open_before = self.house.memory(), self.house.descriptors()
        self.at_rate(f"soak, 100/s for {self.options.soak} s", self.options.soak, on_second=look)
        self.line("dead rows of run_work meanwhile", f"at most {max(worst):,}, {worst[-1]:,} at the end", "bounded")
        grown = ", ".join(f"{name} {before[name]:.0f} → {value:.0f} MB" for name, value in self.house.memory().items())
        self.line("memory and descriptors meanwhile", f"{grown}; {open_before} → {self.house.descriptors()}", "as before")

    def old_snapshot(self):
        holder = subprocess.Popen(
            ["psql", "-XqAt", "-h", self.house.database, "-U", "octavo", "octavo"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        holder.stdin.write("begin isolation level repeatable read; select count(*) from run_work;\n")
        holder.stdin.flush()
        holder.stdout.readline()
        first = self.throughput("old snapshot held: first runs", 50, self.options.runs)
        last = first
        for part in range(2):
            last = self.throughput(f"old snapshot held: part {part + 2}", 50, self.options.runs)
        self.at_rate("old snapshot held: pickup at 100/s", self.options.seconds)
        dead = self.house.value("select n_dead_tup from pg_stat_user_tables where relname = 'run_work'")
        self.line("old snapshot held: slow-down", f"{last / first:.2f} of the first rate, with {dead:,} dead rows", "none")
        holder.stdin.close()
        holder.wait()

    def procrastinate(self):
        """The same with a worker in Python: the queue for Postgres that is nearest to this one."""
        if not self.options.cache:
            return
        python = python_with_packages(self.options.cache, ["procrastinate==3.*", "psycopg[binary,pool]==3.*"])
        self.house.psql("octavo", "create database procrastinate")
        connection = f"host={self.house.database} user=octavo dbname=procrastinate"
        rate = subprocess.run(
            [python, HERE / "procrastinate_peer.py", connection, str(self.options.runs // 10)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
        ).stdout
        self.line("Procrastinate, one worker, empty task, in batches of 50", f"{float(rate):,.0f}/s")

    def pgbench(self, name, sql, clients=16):
        with tempfile.NamedTemporaryFile("w", suffix=".pgb") as script:
            script.write(sql)
            script.flush()
            run = subprocess.run(
                ["pgbench", "-n", "-M", "prepared", "-j", "1", "-c", str(clients), "-T", str(self.options.seconds), "-f",
                 script.name, "-h", self.house.database, "-U", "octavo", "octavo"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True,
            )
        rate = float(re.search(r"tps = ([\d.]+)", run.stdout)[1])
        self.line(name, f"{rate:,.0f}/s")

    def reference(self):
        """What a plain table and SKIP LOCKED do by themselves, without sockets, events or questions."""
        self.house.psql("octavo", file=HERE / "reference.sql")
        self.pgbench("pgbench: insert, claim and finish one, 3 transactions", (HERE / "reference.pgb").read_text())

    def run(self):
        self.throughput("warm-up", 50, 2_000)
        for part in self.options.only or PARTS:
            getattr(self, part)()
        print("\n| what | measured | goal |\n|---|---|---|")
        for what, value, goal in self.lines:
            print(f"| {what} | {value} | {goal} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=HERE.parents[2] / ".build/release", help="where the programs are")
    parser.add_argument("--state", type=pathlib.Path, default="/var/tmp/octavo-runs-benchmark", help="made, and removed at the end")
    parser.add_argument("--runs", type=int, default=20_000, help="of each measurement of throughput")
    parser.add_argument("--seconds", type=int, default=10, help="of each other measurement")
    parser.add_argument("--soak", type=int, default=60, help="seconds of the soak; 600 for the figure")
    parser.add_argument("--kills", type=int, default=0, help="seconds of killing whatever there is, at random, under load")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"some of it: {', '.join(PARTS)}")
    parser.add_argument("--cache", type=pathlib.Path, help="where Procrastinate is installed from PyPI, to be measured beside it")
    options = parser.parse_args()
    house = House(options.programs, options.state)
    try:
        Benchmark(house, options).run()
    finally:
        house.stop()


if __name__ == "__main__":
    main()
