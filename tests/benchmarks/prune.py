"""Prune, and say what memory it took: ``python -m tests.benchmarks.prune``."""

from __future__ import annotations

import os
import resource

import django
from django.core.management import call_command

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    django.setup()
    # A first run, of one small batch's worth of nothing: what is loaded once is not growth.
    call_command("prune_consent_records", dry_run=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    call_command("prune_consent_records", verbosity=0)
    print("KiB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
