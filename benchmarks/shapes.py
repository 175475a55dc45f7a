"""Wide, long and repeated: what the engine costs as a drawing grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks import drawings, kernel
from benchmarks.report import Report, ms
from handlers import JSONObject


def measure(report: Report, pids: Sequence[int]) -> None:
    """Every figure is a median; *pids* are the workers, whose memory is told."""
    report.section("Width")
    for width in (100, 500, 1_000):
        _against_chord(report, f"fan-out of {width} effects", drawings.fan_out("bench.effect", width), width, 2)
        _against_chord(report, f"  ten a message, {width}", drawings.fan_out("bench.cheap", width), width, 0.8)
    _against_chord(report, "300 branches of 2 effects", drawings.branches("bench.effect", 300, 2), 600, 1.5)
    _against_chord(report, "a parallel of 300 effects", drawings.parallel("bench.effect", 300), 300, 2)
    taken = _run(drawings.uneven(), times=5)
    least = drawings.UNEVEN_SECONDS
    report.row("uneven branches", ms(taken), f"{ms(least)} critical path", taken / least, 1.1)

    report.section("Ten times as much")
    _tenfold(report, pids, "pure nodes side by side", [drawings.fan_out("bench.pure", n) for n in (100, 1_000)])
    _tenfold(report, pids, "pure nodes in line", [drawings.line("bench.pure", n) for n in (100, 1_000)])
    _tenfold(report, pids, "iterations of a pure node", [drawings.loop("bench.pure", n) for n in (1_000, 10_000)])
    _tenfold(report, pids, "iterations of an effect", [drawings.loop("bench.effect", n) for n in (100, 1_000)])
    _tenfold(report, pids, "kilobytes in each of ten outputs", [drawings.large(n) for n in (10_000, 100_000)])


def _against_chord(report: Report, what: str, drawing: JSONObject, size: int, bound: float) -> None:
    """Engine and raw in turns, so that the machine's moods strike both."""
    version = kernel.publish(drawing)
    kernel.run_once(version)
    pairs = [(kernel.run_once(version), kernel.raw_chord(size)) for _ in range(5 if size <= 300 else 3)]
    taken, chord = (sorted(figures)[len(figures) // 2] for figures in zip(*pairs, strict=True))
    report.row(what, ms(taken), f"{ms(chord)} a chord of {size}", taken / chord, bound)


def _tenfold(report: Report, pids: Sequence[int], what: str, pair: Sequence[JSONObject]) -> None:
    small, grown = (_run(drawing, times=3) for drawing in pair)
    before = resident(pids)
    _run(pair[1], times=1)
    memory = f"{resident(pids) - before:+.1f} MB in the workers"
    report.row(what, f"{ms(grown)}; {memory}", f"{ms(small)} a tenth of it", grown / small)


def _run(drawing: JSONObject, *, times: int) -> float:
    version = kernel.publish(drawing)
    kernel.run_once(version)
    return kernel.median_of(lambda: kernel.run_once(version), times)


def resident(pids: Sequence[int]) -> float:
    """Megabytes that the workers hold."""
    pages = (int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in pids)
    return sum(pages) * 4096 / 1e6
