"""A second host on the same Postgres, with a line between them that can be cut."""
import os
import shutil
import signal
import subprocess
import tempfile

from house import free_port


class SecondHost:
    """`octavo up` whose database is another's, reached through a line that can be cut: then nothing comes through, and nobody
    is told, as where a cable is pulled."""

    def __init__(self, programs, database):
        self.folder = tempfile.mkdtemp(prefix="octavo-second-host-", dir="/var/tmp")
        socket = ".s.PGSQL.5432"
        self.line = subprocess.Popen(
            ["socat", f"UNIX-LISTEN:{self.folder}/{socket},fork", f"UNIX-CONNECT:{database}/{socket}"], start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        self.process = subprocess.Popen(
            [programs / "octavo", "up", "--state", f"{self.folder}/state", "--port", str(free_port())],
            env=os.environ | {"DATABASE_URL": f"postgresql://octavo@/octavo?host={self.folder}"},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        next(line for line in self.process.stdout if "Ctrl-C stops" in line)

    def cut(self):
        os.killpg(self.line.pid, signal.SIGSTOP)

    def mend(self):
        """What was on its way arrives now."""
        os.killpg(self.line.pid, signal.SIGCONT)

    def stop(self):
        self.mend()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        os.killpg(self.line.pid, signal.SIGTERM)
        self.line.wait()
        shutil.rmtree(self.folder)
