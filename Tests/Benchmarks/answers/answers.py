#!/usr/bin/env python3
"""Asks a running Octavo the questions of a file and says how good its answers are.

    python3 answers.py postgresql.json http://127.0.0.1:8080 [--show | --failures]

The manual has to be imported before. Printed are the share of questions whose answer contains an expected phrase, the share
of unanswerable questions that are answered as unsupported, and how many citations do not stand verbatim in their section.
"""
import argparse
import concurrent.futures
import json
import pathlib
import re
import sys
import urllib.error
import urllib.request

UNSUPPORTED = "The documentation does not answer this question."


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", "accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return {"answer": f"failed: {error.read().decode()}", "citations": [], "supported": None}


def plain(text):
    return re.sub(r"\s+", " ", re.sub(r"[`*]", "", text)).lower()


def faults_of(base, outcome):
    """What is wrong with the citations of an answer."""
    faults = []
    for citation in outcome["citations"]:
        section = call(f"{base}/v1/sections/{citation['section']}")
        if citation["quote"] not in section["text"]:
            faults.append(f"not verbatim in section {citation['section']}: {citation['quote']!r}")
        if f"[{citation['number']}]" not in outcome["answer"]:
            faults.append(f"citation {citation['number']} has no mark in the answer")
    if outcome["supported"] is None:
        return [outcome["answer"]]
    if outcome["supported"] != bool(outcome["citations"]):
        faults.append("supported, and the citations say otherwise")
    if not outcome["supported"] and outcome["answer"] != UNSUPPORTED:
        faults.append(f"unsupported in other words: {outcome['answer']!r}")
    return faults


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("questions", type=pathlib.Path)
    arguments.add_argument("url")
    arguments.add_argument("--show", action="store_true", help="print every answer")
    arguments.add_argument("--failures", action="store_true", help="print the answers that are not as expected")
    options = arguments.parse_args()
    base = options.url.rstrip("/")
    asked = json.loads(options.questions.read_text())
    expected = {item["question"]: item["expected"] for item in asked["answerable"]}
    questions = list(expected) + asked["unanswerable"]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda question: call(f"{base}/v1/ask", {"question": question}), questions))
        faults = [fault for found in pool.map(lambda outcome: faults_of(base, outcome), outcomes) for fault in found]

    good = {True: 0, False: 0}
    sentences = 0
    for question, outcome in zip(questions, outcomes):
        answer = plain(outcome["answer"])
        answerable = question in expected
        is_good = (
            any(plain(phrase) in answer for phrase in expected[question])
            if answerable
            else outcome["supported"] is False
        )
        good[answerable] += is_good
        sentences += len(outcome["citations"]) if answerable else 0
        if options.show or (options.failures and not is_good):
            sources = ", ".join(f"{c['file']}#{c['anchor']}" for c in outcome["citations"])
            print(f"{'ok ' if is_good else 'BAD'} {question}\n{outcome['answer']}\n    <{sources}>\n")
    for fault in faults:
        print(fault)
    print(f"answers with an expected phrase: {good[True]} of {len(expected)}")
    print(f"citations per answer: {sentences / max(1, len(expected)):.1f}")
    print(f"unanswerable, and said so: {good[False]} of {len(asked['unanswerable'])}")
    print(f"faulty citations: {len(faults)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
