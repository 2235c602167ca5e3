"""
A PostgreSQL server of the tests' own, and how to get the programs for one.

`binaries()` only looks; `python -m tests.benchmarks.postgres` installs them if need be.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MISSING = (
    "No PostgreSQL server was found. Install one (Debian: apt-get install postgresql), set "
    "POSTGRESQL=/folder/with/initdb, or run as root: python -m tests.benchmarks.postgres"
)
#: Where distributions and installers put what is not on the path.
FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)


def binaries() -> Path:
    """The folder with ``initdb`` and ``pg_ctl``: what POSTGRESQL names, else an installed one."""
    if chosen := os.environ.get("POSTGRESQL"):
        if (Path(chosen) / "initdb").exists():
            return Path(chosen)
        raise RuntimeError(f"There is no initdb in POSTGRESQL={chosen}.")
    found = [path for folder in FOLDERS for path in Path("/").glob(f"{folder[1:]}/initdb")]
    if found:
        return max(
            found, key=lambda path: [int(x) for x in path.parts[-3:-2] if x.isdigit()]
        ).parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    raise RuntimeError(MISSING)


def install() -> Path:
    """Make sure there are the programs of a server, and return their folder."""
    try:
        return binaries()
    except RuntimeError:
        if os.environ.get("POSTGRESQL") or os.geteuid() != 0 or not shutil.which("apt-get"):
            raise
    print("    by apt-get", flush=True)
    noninteractive = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--no-install-recommends", "postgresql"]):
        subprocess.run(["apt-get", "-qq", "-y", *command], env=noninteractive)
    return binaries()


class Server:
    """A server with an empty database ``consent``, in a folder and on a socket of its own.

    Nothing is relaxed: what it confirms is on disk.
    """

    def __init__(self) -> None:
        self.binaries = binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="consent-"))
        # It refuses to run as root.
        self.prefix: list[str] = []
        if os.geteuid() == 0:
            self.prefix = ["runuser", "-u", "nobody", "--"]
            shutil.chown(self.folder, "nobody")
        self.data = self.folder / "data"
        self._run("initdb", "-D", self.data, "-U", "consent", "-A", "trust", "-E", "UTF8")
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\n")
        self.control("start")
        self._run("createdb", "-h", self.folder, "-U", "consent", "consent")

    def _run(self, program: str, *arguments: str | Path) -> None:
        # Into a file: a pipe would stay open for as long as the server lives.
        with (self.folder / "log").open("a") as log:
            log.write(f"== {program}\n")
            log.flush()
            command = [*self.prefix, str(self.binaries / program), *map(str, arguments)]
            done = subprocess.run(command, stdout=log, stderr=log, cwd="/")
        if done.returncode:
            raise RuntimeError((self.folder / "log").read_text())

    def control(self, what: str, mode: str = "fast") -> None:
        """``start``, ``stop`` or ``restart``; with ``immediate``, as if the power had failed."""
        how = [] if what == "start" else ["-m", mode]
        self._run("pg_ctl", "-D", self.data, "-w", *how, what)

    def remove(self) -> None:
        self.control("stop", "immediate")
        shutil.rmtree(self.folder)


if __name__ == "__main__":
    try:
        print(f"    {install()}")
    except RuntimeError as error:
        sys.exit(str(error))
