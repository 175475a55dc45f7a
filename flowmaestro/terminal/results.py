"""The outputs of a run on the screen."""

from __future__ import annotations

import json
from textwrap import indent

from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.text import Text

from handlers import JSONObject, JSONValue


def show_outputs(console: Console, outputs: JSONObject) -> None:
    """Each output under its name: text as text, everything else as JSON."""
    for name, value in outputs.items():
        if console.is_terminal:
            body = Text(value) if isinstance(value, str) else Syntax(_json(value), "json", background_color="default")
            console.print(Panel(body, title=name, title_align="left", border_style="green"))
        else:
            text = value if isinstance(value, str) else _json(value)
            console.print(f"{name}:\n{indent(text, '  ')}", markup=False, highlight=False, soft_wrap=True)


def _json(value: JSONValue) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
