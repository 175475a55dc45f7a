"""What somebody who has just started FlowMaestro needs to know."""

from __future__ import annotations

from pathlib import Path

from flowmaestro.bootstrap import ADMIN, api_key_path, password_path
from flowmaestro.embedded.secret_files import read_secret
from flowmaestro.supervisor import StackState


def banner(home: Path, state: StackState, *, how_to_stop: str) -> str:
    """Where it is, how to get in, and how to stop it."""
    password = read_secret(password_path(home)) or "(the password that was set there)"
    rows = [
        ("API", f"{state.url}/api/docs"),
        ("API key", f"{read_secret(api_key_path(home))}  (also in {api_key_path(home)})"),
        ("Admin", f"{state.url}/admin/  as {ADMIN} with {password}"),
        ("Logs", str(home / "logs")),
    ]
    if state.standin_url:
        roles = "stock service and language model" if state.model_is_standin else "stock service"
        rows.append(("Stand-in", f"{state.standin_url}  for the demo's {roles}"))
    if state.stops_at:
        rows.append(("Until", f"{state.stops_at}, then it stops by itself"))
    lines = [f"FlowMaestro is up at {state.url}", *(f"  {name:<9}{text}" for name, text in rows), how_to_stop]
    return "\n".join(lines)
