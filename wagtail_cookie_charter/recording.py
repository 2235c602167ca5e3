"""Answers kept as proof, without the people (R44): each once, however often it arrives.

Where they go is the setting ``RECORDER``. What fails there never costs a visitor their choice:
the consent cookie then says that the answer has not arrived, and the next page view sends it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timezone
from enum import Enum
from functools import lru_cache
from threading import get_ident
from typing import Any

from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
    router,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.utils.module_loading import import_string

from .answers import Answer
from .conf import conf
from .decision import FORMAT, RECEIPT_LENGTH, base36, decode
from .models import ConsentEvent, DailyCount, Delivery, PublishedDeclaration
from .moments import stored
from .visitor import decided

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Record:
    """One answer as a recorder gets it: plain values, and nothing about anybody.

    ``declaration`` is the primary key of the ``PublishedDeclaration`` answered, ``site`` and
    ``number`` what it is to visitors. ``grants`` is what was granted as the consent cookie
    writes it, sorted by category, "" for a refusal. ``decided_at`` is in seconds (UTC).
    ``delivery`` is the number that this answer arrives under, however often it does; for an
    answer that granted something it is the visitor's receipt. Whoever stores a refusal must not
    keep it beside the answer (R37, R44). ``despite_signal`` says that it was given despite the
    browser's privacy signal (R64). ``said_at`` is when the visitor's browser says that it was
    given: another time than ``decided_at`` where that was not to be believed. It is the same
    each time the answer arrives.
    """

    declaration: int
    site: int
    number: int
    grants: str
    method: str
    language: str
    decided_at: int
    delivery: str
    said_at: int
    despite_signal: bool = False


class Outcome(Enum):
    """What became of an answer that was recorded."""

    STORED = "stored"
    KNOWN = "known"
    """It had arrived before: nothing was stored, nothing was counted."""
    QUEUED = "queued"
    """Somebody else has it, and will store it."""
    OFF = "off"
    """Nothing is recorded here."""


#: What ``RECORDER`` may name: raises if it cannot take the answer; None means ``STORED``. What
#: returns anything else has not said that it took it.
Recorder = Callable[[Record], Outcome | None]


class NotRecorded(Exception):
    """The answer could not be recorded now."""


class NumberTaken(Exception):
    """The answer came under the number of another one: it needs one of its own."""


def record(answer: Answer) -> Outcome:
    """Give ``answer`` to the recorder that the settings name.

    Raises ``NotRecorded`` or ``NumberTaken``.
    """
    record = Record(
        declaration=answer.asked.pk,
        site=answer.asked.site_id,
        number=answer.asked.number,
        grants=".".join(sorted(map(str, answer.decision.grants))),
        method=answer.method.value,
        language=answer.language,
        decided_at=answer.at,
        delivery=answer.delivery,
        said_at=answer.said_at,
        despite_signal=answer.decision.despite_signal,
    )
    outcome = _recorded(record) if conf.recorder else Outcome.OFF
    if outcome in (Outcome.STORED, Outcome.OFF):
        announce(record)
    return outcome


def _recorded(record: Record) -> Outcome:
    """Raises ``NotRecorded`` or ``NumberTaken``."""
    try:
        recorder: Recorder = import_string(conf.recorder)
        outcome = recorder(record)
        if outcome is None:
            return Outcome.STORED
        if not isinstance(outcome, Outcome):
            raise TypeError(f"A recorder returns None or an Outcome, not {type(outcome)}.")
    except NumberTaken:
        raise
    except Exception as problem:
        _tell(problem)
        raise NotRecorded from problem
    return outcome


def announce(record: Record) -> None:
    """Send ``visitor.decided``, once for each answer. A failing receiver harms nobody."""
    if not decided.has_listeners(PublishedDeclaration):
        return
    start = [FORMAT, base36(record.number), base36(record.decided_at)]
    value = ".".join([*start, *filter(None, [record.grants])])
    # Its content is large, and few want it: read when somebody asks.
    declaration = PublishedDeclaration.from_db(
        router.db_for_read(PublishedDeclaration),
        ["id", "site_id", "number"],
        [record.declaration, record.site, record.number],
    )
    decided.send_robust(
        sender=PublishedDeclaration,
        site_id=record.site,
        declaration=declaration,
        decision=decode(value + ("!" if record.despite_signal else "")),
        method=record.method,
        language=record.language,
    )


#: Seconds for which the same kind of failure is not told again.
QUIET = 300
_told: dict[str, float] = {}


def _tell(problem: Exception) -> None:
    """Log it: once a kind and a while, since every visitor meets it."""
    kind = type(problem).__qualname__
    now = time.monotonic()
    if now - _told.get(kind, -QUIET) >= QUIET:
        _told[kind] = now
        logger.error("Answers cannot be recorded by %s.", conf.recorder, exc_info=problem)


# --- In the database ------------------------------------------------------------------


def store(record: Record) -> Outcome:
    """The recorder ``database``: ``STORED``, or ``KNOWN`` for one that is there already.

    Raises ``DatabaseError``. What passes by itself, a lock, a deadlock or a server that came
    back, is tried once more.
    """
    try:
        return _stored(record)
    except (OperationalError, InterfaceError):
        connection = connections[router.db_for_write(ConsentEvent)]
        if connection.in_atomic_block:
            raise
        connection.close_if_unusable_or_obsolete()
        return _stored(record)


def _stored(record: Record) -> Outcome:
    connection = connections[router.db_for_write(ConsentEvent)]
    day = datetime.fromtimestamp(record.decided_at, timezone.utc).date()
    inserts: list[Statement] = []
    # The number of a refusal and the answer must not be found together (promise 7). What has
    # another time on record than it says has nothing else by which to know it again.
    if not record.grants or record.said_at != record.decided_at:
        delivery = {"number": _delivery(record), "day": day}
        inserts.append(_statement(INSERT, Delivery, delivery, connection))
    event = {
        "declaration": record.declaration,
        "grants": record.grants,
        "method": record.method,
        "language": record.language,
        "decided_at": _moment(record.decided_at),
        "receipt": record.delivery if record.grants else None,
    }
    inserts.append(_statement(INSERT, ConsentEvent, event, connection))
    alike = {
        "declaration": record.declaration,
        "day": day,
        "method": record.method,
        "grants": record.grants,
        "slot": _slot(connection),
    }
    try:
        if connection.vendor == "postgresql" and not connection.in_atomic_block:
            _store_at_once(inserts, alike, connection)
        else:
            _store_in_turn(inserts, alike, connection)
    except IntegrityError:
        if _is_known(record, connection.alias):
            return Outcome.KNOWN
        raise
    return Outcome.STORED


def _store_at_once(
    inserts: list[Statement], alike: dict[str, Any], connection: BaseDatabaseWrapper
) -> None:
    """All in one statement, which is atomic by itself: one journey to the server and back."""
    counted, values = _statement(
        INSERT + COUNT_ON_CONFLICT, DailyCount, {**alike, "count": 1}, connection
    )
    parts = [f"row_{number} AS ({sql})" for number, (sql, _values) in enumerate(inserts)]
    everything = [value for _sql, found in inserts for value in found] + values
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(parts)} {counted}", everything)


def _store_in_turn(
    inserts: list[Statement], alike: dict[str, Any], connection: BaseDatabaseWrapper
) -> None:
    # Made before anything is locked: others wait for as long as this takes.
    one_more = _statement(COUNT_ONE_MORE, DailyCount, alike, connection)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for insert in inserts:
            cursor.execute(*insert)
        # Last, since others wait for whoever holds this row (R86).
        cursor.execute(*one_more)
        if cursor.rowcount:
            return
        first = _statement(INSERT, DailyCount, {**alike, "count": 1}, connection)
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(*first)
        except IntegrityError:
            # Somebody else's was the first of the day.
            cursor.execute(*one_more)
            if not cursor.rowcount:
                raise


def _moment(seconds: int) -> datetime:
    """A time (UTC) as this project's database has it."""
    return stored(datetime.fromtimestamp(seconds, timezone.utc))


def _delivery(record: Record) -> str:
    """The number of an answer as it is kept: with what it answered, and when, as a digest.

    So what came under the same number but to another site, to another question or at another
    time is another answer, though nothing is kept to compare it with.
    """
    parts = (record.delivery, record.site, record.number, record.said_at)
    said = ".".join(map(str, parts))
    digest = int.from_bytes(hashlib.sha256(said.encode()).digest(), "big")
    return base36(digest)[-RECEIPT_LENGTH:]


def _is_known(record: Record, database: str) -> bool:
    """Raises ``NumberTaken`` if another answer has the number: this one would be lost.

    The same one grants the same, of the same question of the same site, at the same time. (Not
    of the same snapshot: processes can learn of the newest one after each other.)
    """
    delivered = Delivery.objects.using(database).filter(pk=_delivery(record))
    if not record.grants:
        return delivered.exists()
    event = (
        ConsentEvent.objects.using(database)
        .filter(receipt=record.delivery)
        .select_related("declaration")
        .only("grants", "decided_at", "declaration__site", "declaration__number")
        .first()
    )
    if event is None:
        return False
    of_event = (event.declaration.site_id, event.declaration.number, event.grants)
    if of_event == (record.site, record.number, record.grants) and (
        delivered.exists() or event.decided_at == _moment(record.said_at)
    ):
        return True
    raise NumberTaken


#: At most so many rows to count equal answers of a day in, and to sum up in a report.
SLOTS = 64


def _slot(connection: BaseDatabaseWrapper) -> int:
    """The row that this thread counts in: others hold theirs until it is on disk.

    0 where only one can write at a time anyway (SQLite).
    """
    if not connection.features.has_select_for_update:
        return 0
    return hash((os.getpid(), get_ident())) % SLOTS


#: Standard SQL, the same for every database. To have Django's ORM compile these anew for each
#: answer takes longer than all else that recording one does.
INSERT = "INSERT INTO {table} ({columns}) VALUES ({places})"
COUNT_ON_CONFLICT = (
    " ON CONFLICT ({unique}) DO UPDATE SET {count} = {table}.{count} + 1"  # PostgreSQL's
)
COUNT_ONE_MORE = "UPDATE {table} SET {count} = {count} + 1 WHERE {conditions}"


#: SQL, and the values of its places.
Statement = tuple[str, list[Any]]


def _statement(
    sql: str, model: type[Model], values: dict[str, Any], connection: BaseDatabaseWrapper
) -> Statement:
    """``sql`` for ``model`` with ``values`` by field name.

    Text and numbers go as they are; databases want dates and times each in their own way.
    """
    adapt_time = connection.ops.adapt_datetimefield_value
    adapt_date = connection.ops.adapt_datefield_value
    adapted = [
        adapt_time(value)
        if isinstance(value, datetime)
        else adapt_date(value)
        if isinstance(value, date)
        else value
        for value in values.values()
    ]
    return _written(sql, model, tuple(values), connection.alias), adapted


@lru_cache
def _written(sql: str, model: type[Model], names: tuple[str, ...], database: str) -> str:
    """``sql`` with the names that this database knows things by."""
    quote = connections[database].ops.quote_name
    named = {field.name: field for field in model._meta.concrete_fields}
    columns = [quote(str(named[name].column)) for name in names]
    return sql.format(
        table=quote(model._meta.db_table),
        count=quote("count"),
        columns=", ".join(columns),
        places=", ".join(["%s"] * len(columns)),
        conditions=" AND ".join(f"{column} = %s" for column in columns),
        unique=", ".join(column for column in columns if column != quote("count")),
    )
