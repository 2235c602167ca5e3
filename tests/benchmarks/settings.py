"""The tests' project on a database that lasts: CONSENT_DATABASE, as JSON."""

from __future__ import annotations

import json
import os

# Settings are made from settings so: all of them, and then what differs.
from tests.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.urls"
DATABASES = {"default": json.loads(os.environ["CONSENT_DATABASE"])}
