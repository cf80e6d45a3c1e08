"""Started in a service's place among its walls: prints what it can reach, as one line of JSON."""

import errno
import json
import os
import socket
import sys


def attempt(family, address):
    try:
        with socket.socket(family) as peer:
            peer.settimeout(2)
            peer.connect(address)
            return "reached"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


found = {"user": os.getuid()}
for place in sys.argv[1:]:
    if place.startswith("/"):
        found[place] = attempt(socket.AF_UNIX, place)
    else:
        host, port = place.rsplit(":", 1)
        found[place] = attempt(socket.AF_INET, (host, int(port)))
print("PROBE " + json.dumps(found))
