from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from rich.console import Console

from executions.core.statuses import RunStatus
from flowmaestro.bootstrap import api_key_path
from flowmaestro.demo import EXAMPLES, Example, Order, ensure_stage, read_orders
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.embedded.secret_files import read_secret
from flowmaestro.supervisor import StackState, SupervisorError
from flowmaestro.terminal import ApiError, Client, FollowError, live_page, on_pause, view_for, watch
from flowmaestro.terminal.results import show_outputs
from flowmaestro.workflow_files import store_file

DEFAULT: Final = next(iter(EXAMPLES))


class Command(BaseCommand):
    help = "Run an example before your eyes. The exit code is 0 when the run completed."
    requires_system_checks: list[str] = []  # the stack makes them when it starts

    def add_arguments(self, parser: CommandParser) -> None:
        shown = "; ".join(f"{name}: {example.shows}" for name, example in EXAMPLES.items())
        parser.add_argument("--example", choices=list(EXAMPLES), default=DEFAULT, help=f"{shown}; default: {DEFAULT}")
        parser.add_argument("--order", type=int, metavar="ID", help="an order of examples/orders.csv")

    def handle(self, **options: Any) -> None:
        console = Console()
        folder, name = settings.BASE_DIR / "examples", options["example"]
        example = EXAMPLES[name]
        try:
            orders = _pick(name, example, read_orders(folder / "orders.csv"), options["order"])
            state = ensure_stage(settings.FLOWMAESTRO_HOME, say=lambda words: _say(console, words, style="dim"))
            _introduce(console, name, example, orders, state)
            key_path = api_key_path(settings.FLOWMAESTRO_HOME)
            client = Client(state.url, read_secret(key_path))
            workflow_id = store_file(folder / f"{name}.json", client.store_workflow)
            started = client.execute(workflow_id, example.inputs(orders, str(state.standin_url)))
            asks = on_pause(client, started, console, key_path=key_path)
            run = watch(client, started, view_for(console), asks)
        except (ApiError, EmbeddedError, FollowError, SupervisorError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        if run.outputs:
            _say(console, "")
            show_outputs(console, run.outputs)
        _say(console, f"\nThe same run as a page: {live_page(state.url, started)}")
        _say(console, "Stop FlowMaestro with: make down")
        if state.stops_at:
            _say(console, f"It stops by itself at {state.stops_at}.", style="dim")
        sys.exit(0 if run.status is RunStatus.COMPLETED else 1)


def _pick(name: str, example: Example, orders: Mapping[int, Order], asked: int | None) -> Sequence[Order]:
    if asked is not None and not example.takes_orders:
        raise CommandError(f"--order: {name} works on the stock, not on orders.")
    number = example.order if asked is None else asked
    if number is None:
        return list(orders.values())
    if number not in orders:
        raise CommandError(f"There is no order {number}; the orders are {min(orders)} to {max(orders)}.")
    return [orders[number]]


def _introduce(console: Console, name: str, example: Example, orders: Sequence[Order], state: StackState) -> None:
    if not example.takes_orders or len(orders) > 1:
        _say(console, f"\n{name}: {example.shows}", style="bold")
    else:
        _say(console, f"\n{name.replace('-', ' ').capitalize()}: {orders[0]}", style="bold")
        if orders[0].message:
            _say(console, f"  “{orders[0].message}”", style="italic")
    model = ""
    if example.asks_model and state.model_is_standin:
        model = "the same stand-in, which composes its answer from the prompt, as OPENAI_API_KEY is not set."
    elif example.asks_model:
        model = "the one that OPENAI_API_KEY and OPENAI_BASE_URL name."
    asked = f" Language model: {model}" if model else ""
    _say(console, f"  Stock service: a local stand-in.{asked}\n", style="dim")


def _say(console: Console, words: str, *, style: str = "") -> None:
    console.print(words, style=style, markup=False, highlight=False, soft_wrap=True)
