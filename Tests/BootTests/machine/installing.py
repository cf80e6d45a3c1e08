"""Installing, and installing again."""

import glob
import grp
import http.client
import os
import shutil
import socket

import load
from machine import CHECKOUT, PROGRAMS, SERVICES, SOCKET_UNITS, active, drop_in, own_address, pid, ready
from machine import request, run, show, sql
from removing import files, nothing_is_left, remember

NEXT = "/opt/octavo-next"


def it_installs_on_a_machine_that_never_had_it():
    # A cluster as Debian makes it.
    run("pg_createcluster", "15", "main", "--locale=C.UTF-8")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "postgresql.service")
    remember()
    said = run(f"{PROGRAMS}/octavo", "install", "--dry-run")
    assert "would write /usr/lib/octavo/octavo-storage" in said and said.endswith("Nothing was done.\n"), said
    assert "written" not in said and "up to date" not in said, said
    nothing_is_left(said)
    said = run(f"{PROGRAMS}/octavo", "install")
    assert "Octavo is installed" in said, said
    ready()
    return said


def installing_again_changes_nothing():
    before = [pid(service) for service in SERVICES]
    said = run(f"{PROGRAMS}/octavo", "install")
    assert "as they were" in said and "nothing to restart" in said, said
    assert [pid(service) for service in SERVICES] == before, "a service was restarted"


def a_dry_run_does_nothing():
    before, there = [pid(service) for service in SERVICES], files()
    said = run(f"{PROGRAMS}/octavo", "install", "--dry-run")
    assert "would write" not in said and "would run systemctl restart" not in said, said
    for options in ([], ["--keep-data"], ["--purge"]):
        said = run("octavo", "uninstall", "--dry-run", *options)
        assert "would remove /usr/lib/octavo/octavo-storage" in said and "Octavo is gone" not in said, said
        assert ('drop database "octavo"' in said) == (options != ["--keep-data"]), said
    assert [pid(service) for service in SERVICES] == before, "a service was stopped"
    assert files() == there, files() ^ there


def the_doctor_finds_nothing_wrong():
    key = "/etc/octavo/credentials/openai-api-key"
    run("install", "-m", "400", "/dev/null", key)
    try:
        return run("octavo", "doctor")
    finally:
        run("rm", key)


def the_doctor_says_what_is_wrong_and_how_to_mend_it():
    run("chmod", "666", "/run/octavo/storage-admin.sock")
    run("gpasswd", "--add", "octavo-gateway", "octavo-admin")
    with open("/etc/octavo/credentials/stray", "w") as file:
        file.write("secret")
    sql("grant create on schema public to \"octavo-storage\"")
    hba = sql("show hba_file")
    run("sed", "-i", "/octavo/d", hba)
    sql("select pg_reload_conf()")
    said = run("octavo", "doctor", check=False)
    for problem in (
        "storage-admin.sock is of the group octavo-admin with mode 666", "octavo-gateway is in the group octavo-admin",
        "systemctl restart octavo-storage-admin.socket",
        "stray is open to others than root", "no service loads /etc/octavo/credentials/stray",
        "octavo-storage may make tables", "pg_hba.conf has lost Octavo's lines",
    ):
        assert problem in said, f"{problem}: {said}"
    assert "secret" not in said
    # As it says.
    run("gpasswd", "--delete", "octavo-gateway", "octavo-admin")
    os.remove("/etc/octavo/credentials/stray")
    run("systemctl", "restart", "octavo-storage-admin.socket")
    run(f"{PROGRAMS}/octavo", "install")
    the_doctor_finds_nothing_wrong()


def the_examples_open_other_addresses():
    unit, examples = "octavo-gateway-http.socket", "/usr/share/doc/octavo/examples"
    for example, reach in (("nginx-socket.conf", at_socket), ("listen-beyond-loopback.conf", at_address)):
        with open(f"{examples}/{example}") as file:
            drop_in(unit, file.read())
        run("systemctl", "restart", "octavo.target")
        status, text = reach()
        drop_in(unit, None)
        assert status == 200, f"{example}: {status} {text}"
    run("systemctl", "restart", "octavo.target")
    ready()


def at_socket():
    path = "/run/octavo/http.sock"
    status = os.stat(path)
    assert status.st_mode & 0o777 == 0o660 and grp.getgrgid(status.st_gid).gr_name == "www-data"
    connection = http.client.HTTPConnection("octavo")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
    return request("GET", "/livez", connection=connection)


def at_address():
    with own_address("10.66.0.3", 3):
        return request("GET", "/livez", connection=http.client.HTTPConnection("10.66.0.3", 8080, timeout=60))


def every_socket_is_open_and_the_target_is_switched_on():
    assert run("systemctl", "is-enabled", "octavo.target").strip() == "enabled"
    for unit in SOCKET_UNITS:
        assert active(unit), f"{unit} is not active"
    for service in SERVICES:
        assert show(f"{service}.service", "StatusText"), f"{service} says nothing of itself"


def systemd_reads_the_installed_units_without_a_word():
    units = sorted(
        os.path.basename(path) for path in glob.glob("/usr/lib/systemd/system/octavo*") if os.path.isfile(path)
    )
    said = run("systemd-analyze", "--man=no", "verify", *units)
    assert said == "", said


def programs():
    return {name: os.stat(f"/usr/lib/octavo/{name}").st_size for name in SERVICES + ["octavo"]}


def a_refused_migration_restarts_nothing_and_puts_the_programs_back():
    # A next version: the same programs with something behind them that nobody reads.
    os.makedirs(f"{NEXT}/build")
    for name in ("systemd", "protocol"):
        shutil.copytree(f"{CHECKOUT}/{name}", f"{NEXT}/{name}")
    shutil.copy(f"{CHECKOUT}/README.md", NEXT)
    for name in SERVICES + ["octavo"]:
        shutil.copy(f"{PROGRAMS}/{name}", f"{NEXT}/build")
        with open(f"{NEXT}/build/{name}", "ab") as program:
            program.write(b"next")
    before, sizes = [pid(service) for service in SERVICES], programs()
    sql("update octavo_migration set checksum = 'x' || checksum where number = 2")
    said = run(f"{NEXT}/build/octavo", "install", check=False)
    sql("update octavo_migration set checksum = substr(checksum, 2) where number = 2")
    assert "was edited" in said and "programs are those from before" in said, said
    assert [pid(service) for service in SERVICES] == before, "a service was restarted"
    assert programs() == sizes, "a program is the new one"
    assert not glob.glob("/usr/lib/octavo/*.octavo-*"), glob.glob("/usr/lib/octavo/*")


def an_upgrade_under_load_loses_no_request():
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
    a_dry_run_does_nothing,
    every_socket_is_open_and_the_target_is_switched_on,
    systemd_reads_the_installed_units_without_a_word,
    a_refused_migration_restarts_nothing_and_puts_the_programs_back,
    an_upgrade_under_load_loses_no_request,
    the_doctor_says_what_is_wrong_and_how_to_mend_it,
    the_examples_open_other_addresses,
]
