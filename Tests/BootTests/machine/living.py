"""Starting on first use, crashing, hanging, stopping."""

import contextlib
import http.client
import os
import signal
import socket
import threading

from machine import ADMIN_SOCKETS, SERVICES, SOCKET_UNITS, active, ask, drop_in, eventually, health, journal, pid, ready
from machine import request, run, show, sql, stop_services


def a_question_is_answered_from_cold():
    stop_services()
    ask()
    for service in SERVICES:
        assert active(f"{service}.service"), f"{service} does not run"


def sockets_answer_while_their_services_are_stopped():
    for service, path in zip(SERVICES, ADMIN_SOCKETS):
        stop_services()
        answer = health(path)
        assert f"octavo-{answer['service']}" == service and answer["live"], answer


def each_service_that_is_killed_is_back_for_the_next_caller():
    ready()
    for service in SERVICES:
        before = pid(service)
        os.kill(before, signal.SIGKILL)
        # At once, while nobody serves the socket.
        ask()
        eventually(lambda: pid(service) not in (0, before), 60, f"{service} anew")
        ready()


def a_crash_loop_keeps_the_sockets_open_and_mends_by_itself():
    unit = "octavo-storage.service"
    drop_in(unit, "[Service]\nExecStart=\nExecStart=/bin/false\nRestartSec=100ms\n")
    run("systemctl", "restart", unit, check=False)
    restarts = int(show(unit, "NRestarts"))
    eventually(lambda: int(show(unit, "NRestarts")) >= restarts + 12, 60, "twelve crashes")
    for name in ("gateway", "agent-runner", "admin"):
        assert active(f"octavo-storage-{name}.socket"), f"the socket for {name} was closed"
    # Whoever comes now waits for the repaired service.
    waiting = socket.socket(socket.AF_UNIX)
    waiting.settimeout(60)
    waiting.connect(ADMIN_SOCKETS[0])
    waiting.sendall(b'24 {"id":1,"call":"health"}\n')
    drop_in(unit, None)
    answer = waiting.recv(65536)
    assert b'"live":true' in answer, answer
    waiting.close()
    ready()
    ask()


def a_service_that_hangs_is_restarted():
    unit = "octavo-storage.service"
    drop_in(unit, "[Service]\nWatchdogSec=10s\n")
    run("systemctl", "restart", unit)
    ready()
    before = pid("octavo-storage")
    os.kill(before, signal.SIGSTOP)
    eventually(lambda: pid("octavo-storage") not in (0, before), 60, "storage anew")
    drop_in(unit, None)
    run("systemctl", "restart", unit)
    ready()


def what_was_accepted_is_finished_before_a_stop():
    ready()
    answers = []
    asking = [threading.Thread(target=lambda: answers.append(request("POST", "/v1/ask", {"question": "What is a run?"})))
              for _ in range(4)]
    before = health(ADMIN_SOCKETS[2])["gauges"].get("http.connections", 0)
    for thread in asking:
        thread.start()
    # Each of them, answered already or connected: whoever comes later finds the sockets closed.
    def there():
        return len(answers) + health(ADMIN_SOCKETS[2])["gauges"]["http.connections"] - before >= len(asking)
    eventually(there, 60, "four connections")
    run("systemctl", "stop", "octavo.target")
    for thread in asking:
        thread.join()
    for service in SERVICES:
        eventually(lambda: not active(f"{service}.service"), 60, f"{service} stopped")
    run("systemctl", "start", "octavo.target")
    assert [status for status, _ in answers] == [200] * 4, answers


def the_target_and_its_services_are_restarted_together_time_after_time():
    for _ in range(12):
        run("systemctl", "restart", "octavo.target", *SERVICES)
        for unit in SOCKET_UNITS:
            assert active(unit), f"{unit} is {show(unit, 'ActiveState')}: {journal(unit)}"
    ready()
    ask()
    bad = [line for line in journal("octavo*", 4000).splitlines() if "Failed to listen" in line or "too quickly" in line]
    assert not bad, bad


def a_socket_that_is_restarted_by_hand_takes_its_service_along():
    for service, path in zip(SERVICES, ADMIN_SOCKETS):
        ready()
        before = pid(service)
        run("systemctl", "restart", f"{service}-admin.socket")
        assert health(path)["live"] and pid(service) != before
        # As long as the target is there, so are its sockets: at times it wants one back before it is closed, which cancels the stop.
        run("systemctl", "stop", f"{service}-admin.socket", check=False)
        eventually(lambda: active(f"{service}-admin.socket"), 60, f"the socket of {service} anew")


def a_command_is_carried_out_at_its_time():
    unit = "octavo-commands.service"
    run("systemctl", "enable", "--now", unit)
    try:
        run("octavo", "schedules", "add", "tidy", "--cron", "@yearly", "--", "prune", "--days", "90")
        # As if the time had come. Storage looks every few seconds, whatever it was told.
        sql("update schedule set next_at = date_trunc('year', now(), 'UTC') where name = 'tidy'")
        done = "select count(*) from run where agent = 'command' and state = 'succeeded'"
        eventually(lambda: sql(done) == "1", 60, "the command's end")
        # It is a part of all of Octavo, and comes back with it.
        run("systemctl", "restart", "octavo.target")
        eventually(lambda: active(unit), 60, "whoever carries commands out")
        run("octavo", "schedules", "fire", "tidy")
        eventually(lambda: sql(done) == "2", 60, "the command's end")
        said = sql("select outcome ->> 'answer' from run where agent = 'command' limit 1")
        assert "Deleted 0 questions" in said, said
    finally:
        run("systemctl", "disable", "--now", unit)
        run("octavo", "schedules", "remove", "tidy", check=False)
    ready()


def nothing_was_lost_on_the_way():
    """The journal of all that was done so far has no defect in it."""
    log = journal("octavo*", 2000)
    bad = [line for line in log.splitlines() if "Fatal error" in line or "unanswered error" in line]
    assert not bad, bad


def settings_are_read_again_without_a_dropped_connection():
    ready()
    before = pid("octavo-gateway")
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)
    assert request("GET", "/livez", connection=connection)[0] == 200
    with settings("octavo-gateway", "OCTAVO_LOG=debug\n"):
        assert request("GET", "/livez", connection=connection)[0] == 200
        assert pid("octavo-gateway") == before


def the_agent_runner_ends_without_work_and_comes_back_when_it_is_asked():
    ready()
    unit = "octavo-agent-runner.service"
    with settings("octavo-agent-runner", "OCTAVO_IDLE_SECONDS=1\n"):
        # It looks at the time as often as the old one asks for.
        run("systemctl", "restart", unit)
        eventually(lambda: show(unit, "ActiveState") == "inactive", 60, "the agent runner's end")
        assert show(unit, "Result") == "success" and show(unit, "NRestarts") == "0"
        ask()


@contextlib.contextmanager
def settings(service, text):
    """Settings in the file of a running service."""
    path = f"/etc/octavo/{service}.conf"
    with open(path, "w") as file:
        file.write(text)
    run("systemctl", "reload", f"{service}.service")
    try:
        yield
    finally:
        os.remove(path)
        run("systemctl", "restart", f"{service}.service")


def housekeeping_runs_as_a_user_of_its_own():
    run("systemctl", "start", "octavo-prune.service")
    said = journal("octavo-prune.service")
    assert "Deleted 0 questions" in said, said
    assert active("octavo-prune.timer")
    run("systemctl", "start", "octavo-books-refresh.service")
    said = journal("octavo-books-refresh.service")
    assert "0 changed" in said, said


CHECKS = [
    a_question_is_answered_from_cold,
    sockets_answer_while_their_services_are_stopped,
    each_service_that_is_killed_is_back_for_the_next_caller,
    a_crash_loop_keeps_the_sockets_open_and_mends_by_itself,
    a_service_that_hangs_is_restarted,
    what_was_accepted_is_finished_before_a_stop,
    settings_are_read_again_without_a_dropped_connection,
    the_agent_runner_ends_without_work_and_comes_back_when_it_is_asked,
    housekeeping_runs_as_a_user_of_its_own,
    a_command_is_carried_out_at_its_time,
    a_socket_that_is_restarted_by_hand_takes_its_service_along,
    the_target_and_its_services_are_restarted_together_time_after_time,
    nothing_was_lost_on_the_way,
]
