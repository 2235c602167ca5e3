#!/usr/bin/env python
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    # Started as a file, Python looks in this folder; the project is the package around it.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox.settings")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
