#!/usr/bin/env python3
"""Keeps books on reading lists for minutes while every process is killed at random, and checks that a book's title, its
reader's name and the entry change together, and each exactly once.

    swift build -c release --static-swift-stdlib && python3 Tests/Benchmarks/storage/consistency.py --seconds 300

Each writer has a reader of its own and keeps one book after the other with `POST /v1/reading-list`: the n-th call gives the
n-th book the title "T n" and the reader the name "N n". A call that is not answered, or with an error that may pass, is
repeated with the same idempotency key until it is. So at every moment, in one snapshot of the database, a reader called
"N n" has exactly the entries 1 to n, and exactly their books are titled anew; were anything half done, lost or done twice,
that would not hold.
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

from house import HERE, Octavo


SET_UP = """
insert into reader (handle, name) select 'writer-' || n, 'N 0' from generate_series(1, {writers}) as n;
"""

# What does not hold, in one statement and so in one snapshot: no row is expected.
CHECK = """
with writer as (
    select reader.id, reader.handle, substr(reader.name, 3)::bigint as n from reader where handle like 'writer-%'
), kept as (
    select writer.handle, writer.n, count(entry.id) as entries,
        count(*) filter (where book.title is distinct from 'T ' || (row_number) || ' of ' || writer.handle) as wrong
    from writer left join lateral (
        select entry.id, entry.book_id, row_number() over (order by entry.id) as row_number
        from reading_list_entry as entry where entry.reader_id = writer.id
    ) as entry on true left join book on book.id = entry.book_id
    group by writer.handle, writer.n
)
select handle, n, entries, wrong from kept where entries <> n or (n > 0 and wrong > 0)
union all
select 'titled without an entry', null, count(*), null from book
where title like 'T %' and not exists (select from reading_list_entry where book_id = book.id)
having count(*) > 0
"""


class Writer(threading.Thread):
    """One after the other, until told to stop; each call until it is answered for good."""

    def __init__(self, number, reader, books, port, stop):
        super().__init__(daemon=True)
        self.number, self.reader, self.books, self.port, self.stop = number, reader, books, port, stop
        self.done = 0
        self.answers = collections.Counter()
        self.wrong = []

    def run(self):
        while not self.stop.is_set() and self.done < len(self.books) and not self.wrong:
            n = self.done + 1
            body = json.dumps({
                "reader": self.reader, "book": self.books[self.done], "title": f"T {n} of writer-{self.number}", "name": f"N {n}",
            })
            if self.keep(body, f"writer-{self.number}-{n}"):
                self.done = n

    def keep(self, body, key):
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
                connection.request("POST", "/v1/reading-list", body, {"Content-Type": "application/json", "Idempotency-Key": key})
                response = connection.getresponse()
                text = response.read().decode()
                self.answers[response.status] += 1
                if response.status in (200, 201):
                    return True
                if response.status not in (409, 429, 500, 502, 503, 504):
                    self.wrong.append(f"{response.status}: {text}")
                    return False
            except (OSError, http.client.HTTPException) as error:
                self.answers[type(error).__name__] += 1
            finally:
                connection.close()
            time.sleep(0.05)


class Killer:
    """What goes wrong, at random."""

    def __init__(self, octavo, dice):
        self.octavo, self.dice = octavo, dice
        self.counts = collections.Counter()

    # What is filled for a while is the file system of the state folder: only a small one, made for it.
    SMALL = 4 << 30

    def strike(self):
        strikes = [
            ("storage killed", lambda: self.signal("storage", signal.SIGKILL)),
            ("gateway killed", lambda: self.signal("gateway", signal.SIGKILL)),
            ("storage stopped for a second", self.stop_storage),
            ("backend terminated", lambda: self.signal("Postgres", signal.SIGTERM)),
            ("backend killed", lambda: self.signal("Postgres", signal.SIGKILL)),
            ("postmaster killed", lambda: os.kill(self.octavo.postmaster(), signal.SIGKILL)),
            ("reader locked for a second", self.lock),
        ]
        disk = os.statvfs(self.octavo.state)
        if disk.f_blocks * disk.f_frsize < self.SMALL:
            strikes.append(("disk full for two seconds", self.fill))
        name, action = self.dice.choice(strikes)
        try:
            action()
            self.counts[name] += 1
        except (OSError, IndexError, ValueError, SystemExit, RuntimeError):
            pass  # What was to be killed is down already.

    def signal(self, name, number):
        os.kill(self.dice.choice(self.octavo.processes()[name]), number)

    def stop_storage(self):
        pid = self.octavo.processes()["storage"][0]
        os.kill(pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(pid, signal.SIGCONT)

    def fill(self):
        path = self.octavo.state / "filler"
        try:
            with open(path, "wb") as filler:
                while True:
                    filler.write(bytes(1 << 20))
                    filler.flush()
        except OSError:
            time.sleep(2)
        finally:
            path.unlink()

    def lock(self):
        self.quietly("begin; select from reader where handle like 'writer-%' for update; select pg_sleep(1); rollback")

    def quietly(self, statement):
        try:
            self.octavo.psql("octavo", statement, errors=subprocess.DEVNULL)
        except Exception as error:
            raise RuntimeError("Postgres is down") from error


def check(octavo, patience=90):
    """The rows that should not be; waits for a Postgres that is starting."""
    end = time.monotonic() + patience
    while True:
        try:
            return octavo.psql("octavo", CHECK, errors=subprocess.DEVNULL)
        except Exception:
            if time.monotonic() > end:
                print((octavo.database / "server.log").read_text()[-3000:], (octavo.state / "octavo.log").read_text()[-3000:])
                sys.exit("Postgres did not come back")
            time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=HERE.parents[2] / ".build/release", help="where the programs are")
    parser.add_argument("--state", type=pathlib.Path, default="/var/tmp/octavo-consistency", help="made, and removed at the end")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with ExitStack() as stack:
        octavo = Octavo(options.programs, options.state)
        stack.callback(octavo.stop)
        octavo.psql("octavo", SET_UP.format(writers=options.writers))
        # More than are kept in that time.
        octavo.psql("octavo", f"insert into book (title) select 'Shelf ' || n from generate_series(1, {800 * options.seconds}) as n")
        readers = octavo.psql("octavo", "select id from reader where handle like 'writer-%' order by id").split()
        books = [int(b) for b in octavo.psql("octavo", "select id from book where title like 'Shelf %' order by id").split()]
        stop = threading.Event()
        port = int(octavo.url.rpartition(":")[2])
        writers = [
            Writer(n + 1, int(reader), books[n::options.writers], port, stop) for n, reader in enumerate(readers)
        ]
        for writer in writers:
            writer.start()
        killer = Killer(octavo, random.Random(options.seed))
        end = time.monotonic() + options.seconds
        checks, wrong = 0, ""
        while time.monotonic() < end and not wrong and not any(w.wrong for w in writers):
            time.sleep(killer.dice.uniform(0.2, 3))
            killer.strike()
            wrong = check(octavo)
            checks += 1
            if checks % 10 == 0:
                print(f"{sum(w.done for w in writers):6} kept, {checks} checks, {sum(killer.counts.values())} strikes", flush=True)
        stop.set()
        for writer in writers:
            writer.join(120)
        stuck = [w.number for w in writers if w.is_alive()]
        wrong = wrong or check(octavo)
        answered = sum(w.done for w in writers)
        stored = int(octavo.psql("octavo", "select count(*) from reading_list_entry"))
        answers = collections.Counter()
        for writer in writers:
            answers.update(writer.answers)
        print(f"{answered} kept, {stored} stored, {checks} checks; answers {dict(answers)}; {dict(killer.counts)}")
        problems = [wrong] + [p for w in writers for p in w.wrong] + [f"writers that hang: {stuck}"] * bool(stuck)
        if answered != stored:
            problems.append(f"{answered} were answered for good, {stored} are stored")
        problems = [p for p in problems if p]
        print("\n".join(problems) if problems else "title, name and entry changed together, each once")
        sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
