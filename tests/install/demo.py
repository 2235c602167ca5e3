"""
Starts `make demo` on an empty database and looks at what it serves.

    python -m tests.install.demo
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 600

# Host, path, status, words that must be there.
PAGES = [
    ("127.0.0.1", "/", 200, ["Données ouvertes de Clairval", "Tout refuser", "Tout accepter"]),
    ("127.0.0.1", "/en/", 200, ["Clairval open data", "Refuse all", "Accept all"]),
    ("127.0.0.1", "/comptages-velo/", 200, ["/sandbox/video/", "/sandbox/measure.js"]),
    ("127.0.0.1", "/planter-en-ville/", 200, ["Autoriser Vidéo Exemple", "Relevé des sols"]),
    ("127.0.0.1", "/en/planter-en-ville/", 200, ["Allow Vidéo Exemple", "Soil survey"]),
    ("127.0.0.1", "/charte-cookies/", 200, ["django_language", "cookies_preferences", "CNIL"]),
    ("127.0.0.1", "/en/charte-cookies/", 200, ["first-party", "Opendatasoft", "back office"]),
    ("127.0.0.1", "/404/", 404, ["Page introuvable", "data-cookie-charter-open"]),
    ("127.0.0.1", "/admin/login/", 200, []),
    ("bibliotheque.localhost", "/", 200, ["Des vidéos, si vous voulez bien"]),
    ("localhost", "/sandbox/video/", 200, []),
    ("carte.localhost", "/sandbox/map/", 200, []),
    ("localhost", "/sandbox/measure.js", 200, []),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def fetch(port: int, host: str, path: str) -> tuple[int, str]:
    # By address, with the name as a header: not every resolver knows *.localhost.
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, headers={"Host": f"{host}:{port}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def wait_for(port: int, demo: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        if demo.poll() is not None:
            sys.exit("make demo ended before it served anything: the reason is above.")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    sys.exit(f"make demo served nothing for {DEADLINE_SECONDS} seconds.")


def look(port: int) -> None:
    for host, path, expected, words in PAGES:
        status, text = fetch(port, host, path)
        missing = [word for word in words if word not in text]
        if status != expected or missing:
            sys.exit(f"{host}{path}: {status} instead of {expected}, without {missing}")
        print(f"    {status} {host}{path}")


def main() -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "SANDBOX_DATABASE": f"{folder}/db.sqlite3"}
        command = ["make", "--no-print-directory", "demo", f"PORT={port}"]
        demo = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
        try:
            wait_for(port, demo)
            look(port)
        finally:
            os.killpg(demo.pid, signal.SIGTERM)
            demo.wait()
    print("    The sandbox stands.")


if __name__ == "__main__":
    main()
