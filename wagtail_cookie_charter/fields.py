"""The charter's body as a model field."""

from __future__ import annotations

from typing import Any

from wagtail.fields import StreamField

from .blocks import CharterBodyBlock


class CharterBodyField(StreamField):
    """A ``StreamField`` of ``CharterBodyBlock`` that migrations do not take apart.

    Labels, categories and language never reach a migration, and a block type added by a
    later release does not either; data migrations still see the blocks of today.
    """

    def __init__(self, verbose_name: Any = None, **kwargs: Any) -> None:
        kwargs.setdefault("blank", True)
        super().__init__(CharterBodyBlock(), verbose_name=verbose_name, **kwargs)

    def deconstruct(self) -> Any:
        name, path, _args, kwargs = super().deconstruct()
        for wordy in ("block_lookup", "use_json_field", "verbose_name", "help_text"):
            kwargs.pop(wordy, None)
        return name, path, [], kwargs
