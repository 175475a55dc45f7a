"""`make bench`: its own workers, the kernel's figures beside the raw ones, and whether each keeps its bound."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowmaestro.settings")
os.environ["FLOWMAESTRO_NODE_HANDLERS"] = "benchmarks.nodes"
os.environ["FLOWMAESTRO_REDIS_PREFIX"] = f"fmbench-{os.getpid()}:"

from pathlib import Path

import django
from rich.console import Console
from rich.table import Table

django.setup()

from django.conf import settings
from django.core.management import call_command

from benchmarks import kernel
from benchmarks.workers import Workers
from flowmaestro.embedded import services

_console = Console()


def main() -> int:
    embedded = settings.FLOWMAESTRO_EMBEDDED_POSTGRES, settings.FLOWMAESTRO_EMBEDDED_REDIS
    if any(embedded):
        with services.start(Path(settings.FLOWMAESTRO_HOME), with_postgres=embedded[0], with_redis=embedded[1]):
            return measure()
    return measure()


def measure() -> int:
    call_command("migrate", verbosity=0)
    with Workers(2):
        versions = {
            "pure": kernel.publish(kernel.line("bench.pure", 100)),
            "effect": kernel.publish(kernel.line("bench.effect", 100)),
            "wide": kernel.publish(kernel.fan_out("bench.effect", 100)),
            "cheap": kernel.publish(kernel.fan_out("bench.cheap", 100)),
            "one": kernel.publish(kernel.line("bench.effect", 1)),
            "mixed": kernel.publish(kernel.mixed()),
        }
        for version in versions.values():  # plans loaded, statements prepared, in both workers
            for _ in range(4):
                kernel.run_once(version)
        for _ in range(5):
            kernel.raw_chord(100)
        return _report(versions)


def _report(versions: dict[str, kernel.WorkflowVersion]) -> int:
    table = Table("what", "engine", "raw beside it", "ratio", "bound", "", box=None, header_style="bold")
    kept = True

    def row(what: str, engine: str, raw: str, ratio: float, bound: float, *, at_least: bool = False) -> None:
        nonlocal kept
        good = ratio >= bound if at_least else ratio <= bound
        kept = kept and good
        sign = "≥" if at_least else "≤"
        table.add_row(what, engine, raw, f"{ratio:.2f}", f"{sign} {bound:g}", "[green]kept" if good else "[red]missed")

    hop = kernel.median_of(kernel.raw_hop, 100)
    pure = kernel.median_of(lambda: kernel.run_once(versions["pure"]), 15)
    row("100 pure nodes in line", _ms(pure), f"{_ms(hop)} a hop", pure / hop, 8)
    heard = kernel.median_of(lambda: kernel.run_heard(versions["pure"]), 15)
    table.add_row(
        "  from its start to a client that hears its end", _ms(heard), f"{_ms(hop)} a hop", f"{heard / hop:.2f}"
    )

    commit = kernel.raw_commit()
    effect = kernel.median_of(lambda: kernel.run_once(versions["effect"]), 9) / 100
    row("100 effects in line, each", _ms(effect), f"{_ms(commit)} a commit", effect / commit, 8)

    chord = kernel.median_of(lambda: kernel.raw_chord(100), 9)
    wide = kernel.median_of(lambda: kernel.run_once(versions["wide"]), 9)
    row("fan-out of 100 effects and a join", _ms(wide), f"{_ms(chord)} a chord of 100", wide / chord, 2.2)
    chord = kernel.median_of(lambda: kernel.raw_chord(100), 9)
    cheap = kernel.median_of(lambda: kernel.run_once(versions["cheap"]), 9)
    row("the same, ten cheap ones a message", _ms(cheap), f"{_ms(chord)} a chord of 100", cheap / chord, 1)

    firsts = [kernel.first_effect(versions["one"]) for _ in range(100)]
    hops = [kernel.raw_hop() for _ in range(100)]
    slow, slow_hop = kernel.p95(firsts), kernel.p95(hops)
    row("start to first effect done, p95", _ms(slow), f"{_ms(slow_hop)} a hop, p95", slow / slow_hop, 8)

    tasks = kernel.median_of(lambda: kernel.raw_tasks_per_second(1000), 3)
    runs = kernel.median_of(lambda: kernel.many_at_once(versions["mixed"], 200), 3)
    row("200 runs of 10 nodes at once", f"{runs:.0f} runs/s", f"{tasks:.0f} tasks/s", runs / tasks, 0.1, at_least=True)

    _console.print(table)
    return 0 if kept else 1


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


if __name__ == "__main__":
    sys.exit(main())
