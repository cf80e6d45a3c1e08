"""Kills whatever there is, at random, while runs are accepted, and looks afterwards whether each ended once."""
import os
import random
import signal
import threading
import time

from caller import Caller


class Killer(threading.Thread):
    """Ends a process of Octavo, a backend or the postmaster with SIGKILL, every one to three seconds."""

    def __init__(self, house):
        super().__init__(daemon=True)
        self.house, self.over = house, threading.Event()
        self.killed = {}

    def run(self):
        while not self.over.wait(random.uniform(1, 3)):
            what = random.choice(["agent-runner", "storage", "gateway", "backend", "postmaster"])
            if what in ("backend", "postmaster"):
                # Postgres that is killed again and again while it recovers is never there.
                self.house.wait_until_up()
            try:
                os.kill(self._pid(what), signal.SIGKILL)
                self.killed[what] = self.killed.get(what, 0) + 1
            except (OSError, IndexError, ValueError):
                pass  # It is being started again.

    def _pid(self, what):
        if what == "postmaster":
            return self.house.postmaster()
        if what == "backend":
            return random.choice(self.house.processes()["Postgres"])
        return self.house.pid(what)

    def stop(self):
        self.over.set()
        self.join()


class Patient:
    """Calls until it is answered: the same call, on another connection when one is lost, or says nothing for long."""

    LONG = 30

    def __init__(self, path):
        self.path, self.caller, self.silent = path, None, 0

    def one(self, call):
        end = time.monotonic() + 120
        while True:
            try:
                self.caller = self.caller or Caller(self.path, timeout=self.LONG)
                refused = self.caller.one(call)
                if refused is None:
                    return
                if refused["retry"] == "no" or time.monotonic() > end:
                    raise SystemExit(f"refused: {refused}")
            except OSError as error:
                self.silent += isinstance(error, TimeoutError)
                if self.caller:
                    self.caller.close()
                self.caller = None
                if time.monotonic() > end:
                    raise
            time.sleep(0.05)


# Of the runs accepted: how many there are, how many ended as they should, how many have a log without a gap that ends once.
VERDICT = """
    select array[count(*), count(*) filter (where state = 'succeeded'), count(*) filter (where is_whole)]
    from run join (
        select run_id, count(*) = max(sequence) and count(*) filter (where event ->> 'type' = 'finished') = 1
            and (array_agg(event ->> 'type' order by sequence desc))[1] = 'finished' as is_whole
        from run_event group by run_id
    ) as log on log.run_id = run.id
    where created_at > '{begin}'"""
