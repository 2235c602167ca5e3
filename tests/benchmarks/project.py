"""A project on a database of its own, served by several processes, and its visitors."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from tests.benchmarks.postgres import Server

ROOT = Path(__file__).resolve().parents[2]
WORKERS, THREADS = 2, 4


@dataclass
class Database:
    """``fault`` takes it away for a while."""

    name: str
    settings: dict[str, Any]
    rows: Callable[[str], list[tuple[Any, ...]]]
    fault: Callable[[], None]

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "CONSENT_DATABASE": json.dumps(self.settings),
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
        }

    def run(self, module: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", f"tests.benchmarks.{module}"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )


def on_sqlite(folder: Path) -> Database:
    path = folder / "consent.sqlite3"

    def rows(sql: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(path, timeout=30) as connection:
            return connection.execute(sql).fetchall()

    def lock() -> None:
        """Somebody else writes, for longer than anybody waits."""
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(3)
        connection.execute("ROLLBACK")
        connection.close()

    options = {
        "timeout": 1,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
    settings = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": options,
        "CONN_MAX_AGE": None,
    }
    return Database("SQLite", settings, rows, lock)


def on_postgresql(server: Server) -> Database:
    def rows(sql: str) -> list[tuple[Any, ...]]:
        place = f"host={server.folder} user=consent dbname=consent options='-c TimeZone=UTC'"
        with psycopg.connect(place) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    settings = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "consent",
        "USER": "consent",
        "HOST": str(server.folder),
        "CONN_MAX_AGE": None,
    }
    return Database(
        "PostgreSQL", settings, rows, lambda: server.control("restart", mode="immediate")
    )


class Site:
    """The project as visitors meet it: a server of several processes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "django.core.wsgi:get_wsgi_application()"),
                *("--bind", f"127.0.0.1:{self.port}", "--workers", str(WORKERS)),
                *("--worker-class", "gthread", "--threads", str(THREADS)),
                *("--keep-alive", "30", "--log-level", "critical"),
            ],
            cwd=ROOT,
            env=database.environment,
        )

    def close(self) -> None:
        self.server.terminate()
        self.server.wait(30)

    def request(self, path: str, data: dict[str, str] | None = None, **headers: str) -> bytes:
        """A request as it travels."""
        body = urlencode(data).encode() if data is not None else b""
        lines = [
            f"{'GET' if data is None else 'POST'} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def decision(self, value: str, **data: str) -> bytes:
        return self.request(
            "/cookie-charter/decide/?language=en",
            {"decision": value, **data},
            Sec_Fetch_Site=data.pop("from", "same-origin"),
        )


class Visitor:
    """A browser's one connection: as little work as possible on this side."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.socket: socket.socket | None = None

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body. Raises ``OSError`` where no whole answer comes."""
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.site.port), timeout=20)
            self.socket.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += self._more()
            head, _blank, body = answer.partition(b"\r\n\r\n")
            fields = head.lower().split(b"\r\n")
            (length,) = (int(one[15:]) for one in fields if one.startswith(b"content-length:"))
            while len(body) < length:
                body += self._more()
            if b"connection: close" in fields:
                self.close()
            return int(head.split()[1]), body
        except OSError:
            self.close()
            raise

    def _more(self) -> bytes:
        assert self.socket is not None
        found = self.socket.recv(65_536)
        if not found:
            raise ConnectionError("The server went away.")
        return found

    def insist(self, request: bytes, patience: float = 90) -> tuple[int, int]:
        """Send until somebody takes it or refuses it: the status, and how often it failed."""
        failures, end = 0, time.monotonic() + patience
        while time.monotonic() < end:
            try:
                status, _body = self.send(request)
                if status < 500:
                    return status, failures
            except OSError:
                pass
            failures += 1
            time.sleep(0.1)
        raise TimeoutError(f"{self.site.database.name} did not come back.")

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None
