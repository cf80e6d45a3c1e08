"""Measures: pgbench, wrk and octavo-benchmark for some seconds, and the CPU that went into it."""
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 16


class Result:
    """Requests a second, latencies in ms, and microseconds of CPU a request by process."""

    def __init__(self, rate, p50=None, p99=None, errors=0):
        self.rate, self.p50, self.p99, self.errors = rate, p50, p99, errors
        self.cpu = {}


def script(statements, variables):
    """A pgbench script of statements as storage sends them: each parameter the expression for its value, or a variable
    of that value, so that Postgres plans for parameters here as there."""
    lines = [r"\set book random(1, 10000)", r"\set reader random(1, 10000)", r"\set change random(1, 1000000)"]
    bodies, constants = [], {}
    for sql, given in statements:
        def expression(match):
            value = given[match[0]]
            for pattern, replacement in variables.items():
                if re.fullmatch(pattern, value):
                    return replacement
            number = re.fullmatch(r"'(-?\d+)'", value)
            if value != "NULL" and not number:
                raise ValueError(f"no variable for {value} in {sql}")
            name = constants.setdefault(number[1] if number else "0", f"constant_{len(constants)}")
            if number:
                return f":{name}::bigint"
            # pgbench has no null. Where the statement does not say which type it has, it is a text.
            return f"nullif(:{name}::bigint, 0)" if match[1] else f"nullif(:{name}::text, '0')"
        # A colon before a word is a variable to pgbench, in a text as well: 'HH24:MI'.
        sql = re.sub(r"'(?:[^']|'')*'", lambda text: "E" + text[0].replace(":", r"\x3a") if ":" in text[0] else text[0], sql)
        bodies.append(re.sub(r"\$\d+\b(?=(::)?)", expression, sql).replace("\n\t", "\n") + ";")
    lines += [rf"\set {name} {value}" for value, name in constants.items()]
    if len(bodies) > 1:
        bodies = ["begin;", *bodies, "commit;"]
    return "\n".join(lines + bodies) + "\n"


def pgbench(octavo, database, text, seconds, clients=CONNECTIONS):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "script.pgb").write_text(text)
        command = ["pgbench", "-n", "-M", "prepared", "-j", "1", "-c", str(clients), "-T", str(seconds), "-f", "script.pgb"]
        # What it logs of each transaction costs it time, and one client has plenty.
        command += ["-l"] if clients == 1 else []
        run = subprocess.run(
            [*command, "-h", octavo.database, "-U", "octavo", database],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        if run.returncode:
            raise SystemExit(f"pgbench: {run.stderr}\n{text}")
        times = [int(line.split()[2]) / 1000 for log in pathlib.Path(folder).glob("pgbench_log.*") for line in open(log)]
    p50 = statistics.median(times) if times else None
    return Result(float(re.search(r"tps = ([\d.]+)", run.stdout)[1]), p50)


def wrk(url, lua, *arguments, seconds, clients=64, timeout=2):
    command = [
        "wrk", "-t1", f"-c{clients}", f"-d{seconds}s", f"--timeout={timeout}s", "--latency", "-s", HERE / lua, url, "--", *arguments,
    ]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def milliseconds(share):
        number, unit = re.search(rf" {share}%\s+([\d.]+)(us|ms|s)\b", text).groups()
        return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

    errors = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", text))
    errors += sum(int(n) for n in re.findall(r"(?:connect|read|write|timeout) (\d+)", text))
    return Result(float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), milliseconds(50), milliseconds(99), errors)


def client(octavo, work, seconds, callers=64):
    report = octavo.client(work, "--callers", callers, "--seconds", seconds)
    return Result(report["rate"], report["p50"], report["p99"], sum(report["failures"].values()))


def ticks(pids):
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total


def with_cpu(octavo, seconds, body):
    """A result with the CPU that Octavo and its Postgres took for it; every connection must be there before."""
    before = {name: (pids, ticks(pids)) for name, pids in octavo.processes().items()}
    result = body()
    for name, (pids, earlier) in before.items():
        result.cpu[name] = (ticks(pids) - earlier) / TICK * 1e6 / (result.rate * seconds)
    return result


def memory(pid, field):
    """MB: VmRSS is what a process has now, VmHWM the most it had since `forget_peak`."""
    return int(re.search(rf"{field}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
