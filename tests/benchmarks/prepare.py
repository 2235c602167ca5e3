"""A database with a site that asks: ``python -m tests.benchmarks.prepare``."""

from __future__ import annotations

import os

import django
from django.core.management import call_command

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    from tests.answers import ask, latest
    from tests.ledger import backdate

    ask()
    # Late answers must be answers to something.
    backdate(latest(), 171 * 86_400)
