"""How a page may be looked at."""

from __future__ import annotations

from typing import Any, Final

PHONE: Final = {"width": 390, "height": 844}  # points, as most have

LOOKS: Final[dict[str, dict[str, Any]]] = {  # options of a window
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE, "is_mobile": True, "has_touch": True},
}
