"""Long JSON for the admin: its beginning leaves the database, not all of it."""

from __future__ import annotations

import json
from typing import Final, cast

from django.db.models import Model, TextField
from django.db.models.functions import Cast, Left
from django.utils.html import format_html
from django.utils.safestring import SafeString

LONGEST: Final = 2_000  # characters


def excerpt(column: str) -> Left:
    """An annotation: the text of a JSON *column*, one character more than is shown at most."""
    return Left(Cast(column, TextField()), LONGEST + 1)


def read(instance: Model, column: str) -> str | None:
    """The excerpt of one row's *column*; *instance* may well have been loaded without it."""
    rows = type(instance)._default_manager.filter(pk=instance.pk)  # noqa: SLF001 -- Django's documented name of it
    return cast("str | None", rows.values_list(excerpt(column), flat=True).get())


def shown(text: str | None) -> SafeString | str:
    """What `excerpt` brought, indented when it is whole, otherwise cut and saying so."""
    if text is None:
        return "—"
    if len(text) > LONGEST:
        return format_html('<pre class="json">{}</pre><p class="help">Cut; the API has all of it.</p>', text[:LONGEST])
    return format_html('<pre class="json">{}</pre>', json.dumps(json.loads(text), indent=2, ensure_ascii=False))
