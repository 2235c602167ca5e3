"""Answers recorded by Django's tasks framework, so that a queue takes the load (R44).

Imported only where ``RECORDER`` is ``"tasks"``: it needs Django 6.0 or newer, or
``django-tasks``, and a backend ``default`` in ``TASKS``.
"""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module
from typing import Any

import django

from .recording import NumberTaken, Outcome, Record, announce, store

#: Django's own or, before 6.0, the same as a package of its own.
framework: Any = import_module("django.tasks" if django.VERSION >= (6, 0) else "django_tasks")


def enqueue(record: Record) -> Outcome:
    """The recorder ``tasks``. Raises what the queue raises, so that the visitor's browser
    tries again; from then on, trying again is the queue's part."""
    result = store_answer.enqueue(**asdict(record))
    # Backends that work at once know already.
    if any(error.exception_class is NumberTaken for error in result.errors):
        raise NumberTaken
    if result.status == framework.TaskResultStatus.FAILED:
        raise RuntimeError(f"The task {store_answer.module_path} failed.")
    return Outcome.QUEUED


@framework.task()
def store_answer(**values: Any) -> None:
    """Store one answer, given as the values of a ``Record``. Done twice, it is there once."""
    record = Record(**values)
    if store(record) is Outcome.STORED:
        announce(record)
