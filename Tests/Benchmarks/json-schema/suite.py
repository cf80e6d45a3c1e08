#!/usr/bin/env python3
"""Puts the JSON Schema project's own test suite (draft 2020-12) to the validator of Agents.

The suite is taken from the source package of `jsonschema` on PyPI, which carries it, into a temporary folder.

    Tests/Benchmarks/json-schema/suite.py [FOLDER OF THE SUITE'S DRAFT]
"""

import glob
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "jsonschema==4.26.0"


def fetched(folder):
    command = ["pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", folder, PACKAGE]
    subprocess.run([sys.executable, "-m", *command], check=True, timeout=300)
    with tarfile.open(glob.glob(folder + "/*.tar.gz")[0]) as archive:
        archive.extractall(folder, filter="data")
    return glob.glob(folder + "/jsonschema-*/json/tests/draft2020-12")[0]


with tempfile.TemporaryDirectory() as folder:
    suite = sys.argv[1] if len(sys.argv) > 1 else fetched(folder)
    sys.exit(subprocess.run(["swift", "run", "-c", "release", "octavo-schema-suite", suite]).returncode)
