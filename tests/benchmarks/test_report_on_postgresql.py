"""What ``test_report.py`` asks, asked of PostgreSQL: in a run of its own, with other settings."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.benchmarks.postgres import Server
from tests.benchmarks.project import ROOT, on_postgresql

pytestmark = pytest.mark.benchmark


def test_a_million_answers_in_a_second_there_too() -> None:
    server = Server()
    try:
        run = [sys.executable, "-m", "pytest", "-q", "-s", "-m", "benchmark"]
        done = subprocess.run(
            [*run, "--ds", "tests.benchmarks.settings", "tests/benchmarks/test_report.py"],
            env=on_postgresql(server).environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    finally:
        server.remove()
    print(done.stdout)
    assert "postgresql" in done.stdout
    assert done.returncode == 0, done.stderr
