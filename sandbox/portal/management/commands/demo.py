from __future__ import annotations

import socket
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Prepares the sandbox and serves it: what `make demo` runs."
    # The database may not exist yet; there is nothing to check it against.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        if not is_free(port):
            raise CommandError(
                f"Port {port} is taken by another program. "
                f"Choose another one, for example: make demo PORT={port + 1}"
            )
        self.step("Preparing the database")
        call_command("migrate", verbosity=0)
        self.step("Building the sites")
        call_command("build_sandbox", port=port, stdout=self.stdout)
        self.step("Ready. Stop it with Ctrl+C.")
        self.stdout.write(
            f"""
    The city's open data portal   http://127.0.0.1:{port}/
      in English                  http://127.0.0.1:{port}/en/
      its cookie charter          http://127.0.0.1:{port}/charte-cookies/
      a video, a map, a gate      http://127.0.0.1:{port}/planter-en-ville/
    The city library              http://bibliotheque.localhost:{port}/
    Wagtail's admin               http://127.0.0.1:{port}/admin/
      as administrator            admin / admin
      as editor                   editor / editor

    Before you answer the banner, open the browser's network panel: what is optional
    (measurement, videos, maps) lives on localhost, video.localhost and carte.localhost.
"""
        )
        # One process: no reloader, so that everything above happens once.
        call_command("runserver", f"127.0.0.1:{port}", use_reloader=False, stdout=Discard())

    def step(self, words: str) -> None:
        self.stdout.write(f"==> {words}")


class Discard:
    """Django's own greeting would push ours, with the addresses, out of sight."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None: ...


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
