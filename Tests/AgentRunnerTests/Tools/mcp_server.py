"""A server of the Model Context Protocol over standard input and output, for tests; misbehaves when told to."""

import json
import os
import sys

MODE = sys.argv[1] if len(sys.argv) > 1 else "fine"
TOOLS = [
    {"name": "echo", "description": "Says it again.", "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}}},
    {"name": "fail", "inputSchema": {"type": "object"}},
    {"name": "environment", "inputSchema": {"type": "object"}},
]


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def answer(request):
    method, parameters = request["method"], request.get("params") or {}
    if method == "initialize":
        return {"protocolVersion": "1999-01-01" if MODE == "old" else "2025-06-18", "capabilities": {}, "serverInfo": {}}
    if method == "tools/list":
        # In two pages.
        return {"tools": TOOLS[1:]} if parameters.get("cursor") else {"tools": TOOLS[:1], "nextCursor": "rest"}
    if method == "tools/call":
        name, arguments = parameters["name"], parameters.get("arguments") or {}
        if name == "echo":
            return {"content": [{"type": "text", "text": arguments["text"]}, {"type": "image", "data": ""}]}
        if name == "environment":
            return {"content": [{"type": "text", "text": ",".join(sorted(os.environ))}]}
        return {"content": [{"type": "text", "text": "It broke."}], "isError": True}


for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request or "method" not in request:
        continue
    if MODE == "silent" or MODE == "hang" and request["method"] == "tools/call":
        continue
    if MODE == "die" and request["method"] == "tools/call":
        sys.exit(1)
    if MODE == "flood" and request["method"] == "tools/call":
        try:
            while True:
                sys.stdout.write("x" * 65536)
        except BrokenPipeError:  # The client has enough, as the test wants: not worth a trace among its output.
            os._exit(0)
    if MODE == "noise":
        print("this is no JSON", flush=True)
        say({"jsonrpc": "2.0", "id": 7, "method": "ping"})
        say({"jsonrpc": "2.0", "method": "notifications/message"})
        say({"jsonrpc": "2.0", "id": 999, "result": {}})
    say({"jsonrpc": "2.0", "id": request["id"], "result": answer(request)})
