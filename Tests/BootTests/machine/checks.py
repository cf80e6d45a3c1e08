"""Runs in a machine that systemd has just booted: installs Octavo and looks whether what the README promises holds.

Each check is a function whose sentence is what is looked at; what it found goes to /findings/findings as a line of JSON.
They run in order, each on what those before it left.
"""

import json
import sys
import time
import traceback

import installing
import living
import removing
import walls
from machine import SERVICES, Unproven, run

CHECKS = installing.CHECKS + living.CHECKS + walls.CHECKS + removing.CHECKS


def main():
    with open("/findings/findings", "w") as findings:
        for number, check in enumerate(CHECKS):
            started = time.monotonic()
            state, said = "holds", ""
            try:
                said = check() or ""
            except Unproven as reason:
                state, said = "unproven", str(reason)
            except BaseException:
                state, said = "fails", traceback.format_exc()
            seconds = round(time.monotonic() - started, 1)
            finding = {"check": check.__name__, "state": state, "said": said, "seconds": seconds}
            findings.write(json.dumps(finding) + "\n")
            findings.flush()
            if number == 0 and state == "fails":
                # Nothing else can be looked at.
                break
    with open("/findings/journal", "w") as file:
        file.write(run("journalctl", "--no-pager", "--output=short-monotonic", "--unit=octavo*", check=False))


if __name__ == "__main__":
    sys.exit(main())
