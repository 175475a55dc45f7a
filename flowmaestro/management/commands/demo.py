from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from rich.console import Console

from executions.core.statuses import RunStatus
from flowmaestro.bootstrap import api_key_path
from flowmaestro.demo import Order, ensure_stage, read_orders
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.embedded.secret_files import read_secret
from flowmaestro.supervisor import StackState, SupervisorError
from flowmaestro.terminal import ApiError, Client, FollowError, live_page, view_for, watch
from flowmaestro.terminal.results import show_outputs
from handlers import JSONObject

DEFAULT_ORDER: Final = 1017  # a large one, abroad, with a question: it takes a way through most of the drawing


class Command(BaseCommand):
    help = "Triage one order of examples/orders.csv before your eyes. The exit code is 0 when the run completed."
    requires_system_checks: list[str] = []  # the stack makes them when it starts

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--order", type=int, default=DEFAULT_ORDER, metavar="ID", help="default: %(default)s")

    def handle(self, **options: Any) -> None:
        console = Console()
        examples = settings.BASE_DIR / "examples"
        try:
            order = _pick(examples / "orders.csv", options["order"])
            definition = json.loads((examples / "order-triage.json").read_text(encoding="utf-8"))
            state = ensure_stage(settings.FLOWMAESTRO_HOME, say=lambda words: _say(console, words, style="dim"))
            _introduce(console, order, state)
            status = _triage(console, state, definition, order)
        except (ApiError, EmbeddedError, FollowError, SupervisorError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        _say(console, "Stop FlowMaestro with: make down")
        if state.stops_at:
            _say(console, f"It stops by itself at {state.stops_at}.", style="dim")
        sys.exit(0 if status is RunStatus.COMPLETED else 1)


def _pick(path: Path, number: int) -> Order:
    orders = read_orders(path)
    if number not in orders:
        raise CommandError(f"There is no order {number}; the orders are {min(orders)} to {max(orders)}.")
    return orders[number]


def _introduce(console: Console, order: Order, state: StackState) -> None:
    _say(console, f"\nOrder triage: {order}", style="bold")
    if order.message:
        _say(console, f"  “{order.message}”", style="italic")
    if state.model_is_standin:
        model = "the same stand-in, which composes its answer from the prompt, as OPENAI_API_KEY is not set"
    else:
        model = "the one that OPENAI_API_KEY and OPENAI_BASE_URL name"
    _say(console, f"  Stock service: a local stand-in. Language model: {model}.\n", style="dim")


def _triage(console: Console, state: StackState, definition: dict[str, Any], order: Order) -> RunStatus:
    client = Client(state.url, read_secret(api_key_path(settings.FLOWMAESTRO_HOME)))
    inputs: JSONObject = {"order": order.to_json(), "stock_url": f"{state.standin_url}/stock"}
    started = client.execute(client.store_workflow(definition), inputs)
    run = watch(client, started, view_for(console))
    if run.outputs:
        _say(console, "")
        show_outputs(console, run.outputs)
    _say(console, f"\nThe same run as a page: {live_page(state.url, started)}")
    return run.status


def _say(console: Console, words: str, *, style: str = "") -> None:
    console.print(words, style=style, markup=False, highlight=False, soft_wrap=True)
