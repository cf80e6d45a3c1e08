#!/usr/bin/env python3
"""Asks a running Octavo every question of a set, and prints how well and how fast it finds.

    python3 benchmark.py postgresql-15.json --url http://127.0.0.1:8080

A question's `sections` are all that answer it, as FILE#ANCHOR or, where any section of the page will do, as FILE. Rank is
that of the first hit among them. Change ranking by the `tuning` half alone; the `held-out` half says what that is worth.
"""
import argparse
import json
import math
import sys
import threading
import time
import urllib.parse
from collections import defaultdict
from http.client import HTTPConnection

DEPTH = 10


class Client:
    """One connection, kept open, as a reader's browser or the answering agent would."""

    def __init__(self, url):
        self.connection = HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)

    def search(self, text):
        """The hits, the corrections and the milliseconds it took."""
        query = urllib.parse.urlencode({"q": text, "limit": DEPTH}, quote_via=urllib.parse.quote)
        start = time.perf_counter()
        self.connection.request("GET", f"/v1/search?{query}")
        response = self.connection.getresponse()
        body = response.read()
        elapsed = (time.perf_counter() - start) * 1000
        if response.status != 200:
            sys.exit(f"{text!r}: {response.status} {body.decode(errors='replace')}")
        found = json.loads(body)
        return found["hits"], found.get("corrections", {}), elapsed


def rank(hits, question, book):
    """The place of the first wanted hit, from 1; None when there is none."""
    wanted = set(question["sections"])
    for place, hit in enumerate(hits, 1):
        if book and hit["book"]["title"] != book:
            continue
        if hit["file"] in wanted or f"{hit['file']}#{hit['anchor']}" in wanted:
            return place
    return None


def percentile(values, share):
    """The smallest value that this share of the values does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def row(name, ranks):
    def recall(depth):
        return sum(1 for r in ranks if r and r <= depth) / len(ranks)

    mrr = sum(1 / r for r in ranks if r) / len(ranks)
    print(f"{name:24} {len(ranks):5} {mrr:8.3f} {recall(1):9.3f} {recall(3):9.3f} {recall(10):10.3f}")


def quality(questions, client, arguments):
    groups = defaultdict(list)
    for question in questions:
        hits, corrections, _ = client.search(question["question"])
        place = rank(hits, question, arguments.book)
        groups[question["half"], ""].append(place)
        groups[question["half"], question["kind"]].append(place)
        if arguments.misses and place != 1 and question["half"] == arguments.misses:
            print(f"{place or '-':>3}  {question['question']}  {corrections or ''}")
            for hit in hits[: min(place or 4, 4)]:
                print(f"       {hit['file']}#{hit['anchor']}  {hit['score']} {hit['coverage']}  {' › '.join(hit['headings'][-2:])}")
    print(f"{'':24} {'count':>5} {'MRR@10':>8} {'recall@1':>9} {'recall@3':>9} {'recall@10':>10}")
    for (half, kind), ranks in sorted(groups.items(), reverse=True, key=lambda item: (item[0][0], item[0][1] == "", item[0][1])):
        row(f"  {kind}" if kind else half, ranks)


def latency(questions, url, clients, rounds):
    """Every client asks all questions `rounds` times, each beginning elsewhere."""
    times = []

    def ask(number):
        client = Client(url)
        start = number * len(questions) // clients
        mine = [client.search(q["question"])[2] for q in (questions[start:] + questions[:start]) * rounds]
        times.extend(mine)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(times) / (time.perf_counter() - began)
    print(
        f"{clients} client{'s' if clients > 1 else ' '}: p50 {percentile(times, 0.5):5.1f} ms, "
        f"p95 {percentile(times, 0.95):5.1f} ms, p99 {percentile(times, 0.99):5.1f} ms, {rate:4.0f} searches a second"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", help="a question set, such as postgresql-15.json")
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where Octavo listens")
    parser.add_argument("--book", help="the title of the book the questions are about, where there are several")
    parser.add_argument("--rounds", type=int, default=3, help="times each client asks all questions, for the latency")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 4], help="clients at once, for the latency")
    parser.add_argument("--misses", choices=["tuning", "held-out"], help="show this half's questions not answered first")
    arguments = parser.parse_args()
    with open(arguments.questions, encoding="utf-8") as file:
        questions = json.load(file)
    quality(questions, Client(arguments.url), arguments)
    print()
    for clients in arguments.clients:
        latency(questions, arguments.url, clients, arguments.rounds)


if __name__ == "__main__":
    main()
