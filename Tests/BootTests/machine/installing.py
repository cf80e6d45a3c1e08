"""Installing, and installing again."""

import glob
import os
import shutil

import load
from machine import ADMIN_SOCKETS, CHECKOUT, OTHER_SOCKETS, PROGRAMS, SERVICES, active, pid, ready, run
from removing import remember

NEXT = "/opt/octavo-next"


def it_installs_on_a_machine_that_never_had_it():
    # A cluster as Debian makes it.
    run("pg_createcluster", "15", "main", "--locale=C.UTF-8")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "postgresql.service")
    remember()
    said = run(f"{PROGRAMS}/octavo", "install")
    assert "Octavo is installed" in said, said
    ready()
    return said


def installing_again_changes_nothing():
    before = [pid(service) for service in SERVICES]
    said = run(f"{PROGRAMS}/octavo", "install")
    assert "as they were" in said and "nothing to restart" in said, said
    assert [pid(service) for service in SERVICES] == before, "a service was restarted"


def the_doctor_finds_nothing_wrong():
    return run("octavo", "doctor")


def every_socket_is_open_and_the_target_is_switched_on():
    assert run("systemctl", "is-enabled", "octavo.target").strip() == "enabled"
    for path in ADMIN_SOCKETS + OTHER_SOCKETS:
        unit = f"octavo-{os.path.basename(path)}et"
        assert active(unit), f"{unit} is not active"


def systemd_reads_the_installed_units_without_a_word():
    units = sorted(
        os.path.basename(path) for path in glob.glob("/usr/lib/systemd/system/octavo*") if os.path.isfile(path)
    )
    said = run("systemd-analyze", "--man=no", "verify", *units)
    assert said == "", said


def an_upgrade_under_load_loses_no_request():
    # A next version: the same programs with something behind them that nobody reads.
    os.makedirs(f"{NEXT}/build")
    for name in ("systemd", "protocol"):
        shutil.copytree(f"{CHECKOUT}/{name}", f"{NEXT}/{name}")
    shutil.copy(f"{CHECKOUT}/README.md", NEXT)
    for name in SERVICES + ["octavo"]:
        shutil.copy(f"{PROGRAMS}/{name}", f"{NEXT}/build")
        with open(f"{NEXT}/build/{name}", "ab") as program:
            program.write(b"next")
    before = [pid(service) for service in SERVICES]
    with load.Load() as clients:
        said = run(f"{NEXT}/build/octavo", "install")
    after = [pid(service) for service in SERVICES]
    shutil.rmtree(NEXT)
    assert all(old != new for old, new in zip(before, after)), f"not all were restarted: {said}"
    assert clients.lost == [], f"{len(clients.lost)} of {clients.answered} lost: {clients.lost[:3]}"
    return f"{clients.answered} requests answered, the slowest in {clients.slowest:.1f} s"


CHECKS = [
    it_installs_on_a_machine_that_never_had_it,
    the_doctor_finds_nothing_wrong,
    installing_again_changes_nothing,
    every_socket_is_open_and_the_target_is_switched_on,
    systemd_reads_the_installed_units_without_a_word,
    an_upgrade_under_load_loses_no_request,
]
