"""Readers who ask all the time, and never try again."""

import http.client
import threading
import time

from machine import request


class Load:
    """Asks from entering to leaving; what was not answered is in `lost`."""

    def __init__(self):
        self.answered = 0
        self.slowest = 0.0
        self.lost = []
        self.stop = threading.Event()
        kept = lambda: http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)
        self.threads = [
            threading.Thread(target=self.search, args=(kept,)),
            threading.Thread(target=self.search, args=(lambda: None,)),
            threading.Thread(target=self.ask, args=(kept,)),
            threading.Thread(target=self.ask, args=(lambda: None,)),
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(1)
        return self

    def __exit__(self, *_):
        time.sleep(1)
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def search(self, connect):
        self.repeat(connect, "GET", "/v1/search?q=goaway&limit=3", None)

    def ask(self, connect):
        self.repeat(connect, "POST", "/v1/ask", {"question": "How long may a frame be?"})

    def repeat(self, connect, method, path, body):
        connection = connect()
        while not self.stop.is_set():
            started = time.monotonic()
            try:
                status, text = request(method, path, body, connection=connection)
                if status == 200:
                    self.answered += 1
                else:
                    self.lost.append(f"{method} {path}: {status} {text[:300]}")
            except Exception as error:
                self.lost.append(f"{method} {path}: {error!r}")
                if connection:
                    connection.close()
            self.slowest = max(self.slowest, time.monotonic() - started)
