"""Taking it all back."""

import os
import socket

from machine import PROGRAMS, ask, ready, run, sql

# Where nothing of Octavo's may stay.
FOLDERS = ("/etc", "/usr", "/opt", "/run", "/srv", "/var/lib", "/var/spool", "/var/log")
# What runs here all the time writes there, or on the machine underneath, with or without an installed Octavo.
OTHERS = ("/var/lib/postgresql/", "/var/log/", "/run/systemd/", "/run/udev/", "/run/credentials", "/run/log", "/run/user",
          "/var/lib/systemd/random-seed", "/run/postgresql", "/run/lock", "/var/lib/private", "/var/lib/octavo-")
before = {}


def remember():
    """What the machine is like before Octavo comes."""
    before["files"] = files()
    before.update(texts())


def files():
    found = set()
    for folder in FOLDERS:
        for path, folders, names in os.walk(folder):
            found.update(f"{path}/{name}" for name in folders + names)
    return {path for path in found if not path.startswith(OTHERS)}


def texts():
    """Files of others that had something of ours in them."""
    place = "/etc/postgresql/15/main"
    found = {}
    for path in (f"{place}/pg_hba.conf", f"{place}/pg_ident.conf", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"):
        with open(path) as file:
            found[path] = file.read()
    return found


def removing_it_with_its_data_kept_and_installing_again_finds_them():
    questions = sql("select count(*) from question")
    said = run("octavo", "uninstall", "--keep-data")
    assert not os.path.exists("/usr/bin/octavo") and not os.path.exists("/run/octavo/storage-admin.sock"), said
    assert sql("select count(*) from question") == questions
    with socket.create_server(("127.0.0.1", 8080)):
        said = run(f"{PROGRAMS}/octavo", "install", check=False)
        assert "another program has 127.0.0.1:8080" in said, said
    run(f"{PROGRAMS}/octavo", "install")
    ready()
    ask()
    assert int(sql("select count(*) from question")) == int(questions) + 1


def removing_it_leaves_nothing():
    return nothing_is_left(run("octavo", "uninstall", "--purge"))


def what_was_kept_can_be_purged_later():
    run(f"{PROGRAMS}/octavo", "install")
    run("octavo", "uninstall", "--keep-data")
    said = run(f"{PROGRAMS}/octavo", "uninstall", check=False)
    assert "What was kept of it goes with --purge" in said, said
    return nothing_is_left(run(f"{PROGRAMS}/octavo", "uninstall", "--purge"))


def nothing_is_left(said):
    left = files() - before["files"]
    # What the tools that remove users keep by themselves.
    left = {path for path in left if path not in ("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-")}
    assert not left, sorted(left)
    for path, text in texts().items():
        assert text == before[path], f"{path} is not as it was"
    units = run("systemctl", "list-units", "--all", "--no-legend", "octavo*").strip()
    assert units == "", units
    assert sql("select datname from pg_database where datname = 'octavo'", database="postgres") == ""
    assert sql("select rolname from pg_roles where rolname like 'octavo%'", database="postgres") == ""
    return said


CHECKS = [
    removing_it_with_its_data_kept_and_installing_again_finds_them, removing_it_leaves_nothing, what_was_kept_can_be_purged_later,
]
