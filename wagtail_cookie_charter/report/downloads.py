"""Files that are made while they are sent, whichever way the server sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

#: Bytes, or the next chunk if that is larger, that are in memory at a time under ASGI: each
#: piece is another turn of the thread that the database is read in.
PIECE = 65_536


class Download(StreamingHttpResponse):
    """``chunks`` as a file called ``name``. No more of them than a piece is in memory."""

    def __init__(self, chunks: Iterable[str], content_type: str, name: str) -> None:
        super().__init__(
            chunks,
            content_type=content_type,
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "private, no-store",
            },
        )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Django's own would make all of it first (ASGI)."""
        chunks = iter(self)
        while piece := await sync_to_async(_piece, thread_sensitive=True)(chunks):
            yield piece


def _piece(chunks: Iterator[bytes]) -> bytes:
    """The next of a file; nothing at its end."""
    piece: list[bytes] = []
    size = 0
    for chunk in chunks:
        piece.append(chunk)
        size += len(chunk)
        if size >= PIECE:
            break
    return b"".join(piece)
