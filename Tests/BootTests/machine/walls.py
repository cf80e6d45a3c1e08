"""Who reaches what: the rules that the kernel holds, with the real programs working under them."""

import json
import os
import pwd
import shutil
import socket

from machine import ADMIN_SOCKETS, OTHER_SOCKETS, CHECKOUT, SERVICES, Unproven, active, ask, drop_in, journal, ready
from machine import eventually, own_address, run, sql

POSTGRES = "/run/postgresql/.s.PGSQL.5432"
PRIVATE, PUBLIC = "10.66.0.1", "203.0.113.9"
PORT = 9000
# Where services see it, wherever the checkout is: they have no /home, and a /tmp of their own.
PROBE_FILE = "/usr/local/lib/octavo-probe.py"
PROBE = f"/usr/bin/python3 {PROBE_FILE}"
shutil.copyfile(f"{CHECKOUT}/Tests/BootTests/machine/probe.py", PROBE_FILE)


def probe(service, *places):
    """What a service could reach: it starts once with the probe before its own program."""
    unit = f"{service}.service"
    drop_in(unit, f"[Service]\nExecStartPre={PROBE} {' '.join(places)}\n")
    try:
        run("systemctl", "restart", unit)
    finally:
        drop_in(unit, None)
    lines = [line for line in journal(unit, 50).splitlines() if line.startswith("PROBE ")]
    assert lines, journal(unit)
    found = json.loads(lines[-1].removeprefix("PROBE "))
    assert found["user"] == pwd.getpwnam(service).pw_uid, found
    return found


def the_walls_are_as_high_as_they_are_said_to_be():
    ready()
    ask()
    said = []
    for service, most in zip(SERVICES, (6, 15, 6)):
        assert active(f"{service}.service")
        lines = run("systemd-analyze", "security", "--no-pager", f"--threshold={most}", f"{service}.service").splitlines()
        said.append(lines[-1])
    return "; ".join(said)


def storage_opens_no_internet_socket_and_reaches_postgres():
    found = probe("octavo-storage", "127.0.0.1:8080", POSTGRES)
    assert found["127.0.0.1:8080"] == "EAFNOSUPPORT", found
    assert found[POSTGRES] == "reached", found


def the_gateway_opens_no_internet_socket_and_does_not_see_postgres():
    found = probe("octavo-gateway", "127.0.0.1:8080", POSTGRES, *OTHER_SOCKETS, *ADMIN_SOCKETS)
    assert found["127.0.0.1:8080"] == "EAFNOSUPPORT", found
    assert found[POSTGRES] in ("ENOENT", "EACCES"), found
    assert_only(found, {"/run/octavo/storage-gateway.sock", "/run/octavo/agent-runner-gateway.sock"})


def the_agent_runner_does_not_see_postgres():
    found = probe("octavo-agent-runner", POSTGRES, *OTHER_SOCKETS, *ADMIN_SOCKETS)
    assert found[POSTGRES] in ("ENOENT", "EACCES"), found
    assert_only(found, {"/run/octavo/storage-agent-runner.sock"})


def assert_only(found, reached):
    """Of Octavo's own sockets those, and no others."""
    assert {path for path, what in found.items() if path.startswith("/run/octavo") and what == "reached"} == reached, found


def the_agent_runner_reaches_out_and_not_into_the_house():
    private, public, own = f"{PRIVATE}:{PORT}", f"{PUBLIC}:{PORT}", "127.0.0.1:8080"
    with own_address(PRIVATE, 1), own_address(PUBLIC, 2):
        with socket.create_server((PRIVATE, PORT)), socket.create_server((PUBLIC, PORT)):
            found = probe("octavo-agent-runner", private, public, own)
    assert found[public] == "reached", found
    if found[private] == "reached" and not filters_addresses():
        raise Unproven("This kernel, in this container, does not apply IPAddressDeny= to any unit, not even IPAddressDeny=any.")
    # What is sent there is dropped.
    assert found[private] == found[own] == "timed out", found


def filters_addresses():
    """Whether IPAddressDeny= does anything here."""
    said = run("systemd-run", "--quiet", "--wait", "--pipe", "-p", "IPAddressDeny=any", *PROBE.split(), "127.0.0.1:8080")
    return "reached" not in said


def a_user_outside_of_the_groups_is_refused():
    said = run("runuser", "-u", "nobody", "--", *PROBE.split(), *ADMIN_SOCKETS, *OTHER_SOCKETS)
    found = json.loads(said.removeprefix("PROBE "))
    del found["user"]
    assert set(found.values()) == {"EACCES"}, found


def a_member_of_octavo_admin_is_let_in_as_an_administrator_alone():
    run("useradd", "--system", "--no-create-home", "--groups", "octavo-admin", "boot-admin")
    said = run("runuser", "-u", "boot-admin", "--", *PROBE.split(), *ADMIN_SOCKETS, *OTHER_SOCKETS)
    health = run("runuser", "-u", "boot-admin", "--", "octavo", "health", check=False)
    run("userdel", "boot-admin")
    found = json.loads(said.removeprefix("PROBE "))
    assert_only(found, set(ADMIN_SOCKETS))
    assert "storage" in health and "no answer" not in health, health


def octavo_as_a_whole_has_a_memory_limit_that_the_kernel_holds():
    limit = "/sys/fs/cgroup/octavo.slice/memory.max"
    if not os.path.exists(limit):
        raise Unproven("This container has no memory controller in its cgroup tree, so no MemoryMax= counts in it.")
    with open(limit) as file:
        assert int(file.read()) == 1700 << 20


def the_credentials_are_closed_to_all_but_root():
    for path in ("/etc/octavo/credentials",):
        status = os.stat(path)
        assert status.st_mode & 0o7777 == 0o700 and status.st_uid == 0, oct(status.st_mode)


def storages_role_reads_and_writes_rows_and_changes_no_table():
    assert int(sql("select count(*) from question", user="octavo-storage")) > 0
    for statement in (
        "create table own ()", "drop table question", "alter table question add own text", "create schema own",
        "create temp table own ()", "update octavo_migration set checksum = ''", "create function own() returns int return 1",
    ):
        said = sql(statement, user="octavo-storage", check=False)
        assert "permission denied" in said or "must be owner" in said, f"{statement}: {said}"


def nobody_else_comes_in_as_its_role():
    for user in ("root", "octavo-gateway", "octavo-agent-runner"):
        said = run("runuser", "-u", user, "--", "psql", "-h", "/run/postgresql", "-U", "octavo-storage", "octavo", "-c", "",
                   check=False)
        assert "Peer authentication failed" in said, said
    said = sql("", user="octavo-storage", database="postgres", check=False)
    assert "rejects connection" in said, said


def spans_are_kept_behind_the_walls():
    files = [f"/etc/octavo/{service}.conf" for service in SERVICES]
    before = {file: open(file).read() if os.path.exists(file) else None for file in files}

    def keep(setting, chosen):
        for file in chosen:
            with open(file, "w") as settings:
                settings.write(f"{before[file] or ''}\n{setting}\n")

    def traces(service):
        path = f"/var/log/{service}/{service}.jsonl"
        if not os.path.exists(path):
            return set()
        with open(path) as file:
            # The last line may be on its way.
            kept = [json.loads(line) for line in file if line.endswith("\n")]
        return {span["traceId"] for one in kept for span in one["resourceSpans"][0]["scopeSpans"][0]["spans"]}

    try:
        keep("OCTAVO_TRACES=http://127.0.0.1:4318", files[:1])
        said = run("octavo", "doctor", check=False)
        assert "octavo-storage reaches no collector over HTTP" in said and "octavo-gateway keeps none" in said, said
        keep("OCTAVO_TRACES=file", files)
        run("systemctl", "restart", *SERVICES)
        ready()
        ask()
        eventually(lambda: set.intersection(*map(traces, SERVICES)), what="a trace through all three")
        for service in SERVICES:
            status = os.stat(f"/var/log/{service}/{service}.jsonl")
            assert status.st_mode & 0o777 == 0o640 and status.st_uid == pwd.getpwnam(service).pw_uid, oct(status.st_mode)
        assert "every service keeps spans" in run("octavo", "doctor", check=False)
    finally:
        for file, text in before.items():
            if text is None:
                os.remove(file)
            else:
                with open(file, "w") as settings:
                    settings.write(text)
        run("systemctl", "restart", *SERVICES)
    ready()


CHECKS = [
    the_walls_are_as_high_as_they_are_said_to_be,
    storage_opens_no_internet_socket_and_reaches_postgres,
    the_gateway_opens_no_internet_socket_and_does_not_see_postgres,
    the_agent_runner_does_not_see_postgres,
    the_agent_runner_reaches_out_and_not_into_the_house,
    a_user_outside_of_the_groups_is_refused,
    a_member_of_octavo_admin_is_let_in_as_an_administrator_alone,
    octavo_as_a_whole_has_a_memory_limit_that_the_kernel_holds,
    the_credentials_are_closed_to_all_but_root,
    storages_role_reads_and_writes_rows_and_changes_no_table,
    nobody_else_comes_in_as_its_role,
    spans_are_kept_behind_the_walls,
]
