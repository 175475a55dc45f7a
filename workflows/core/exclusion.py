"""Which nodes cannot both run: those that need different answers to one question.

The questions are: from which root does the run start, does a node complete or fail, which port does it choose. A node
runs when one of its incoming edges is taken, so what it needs is what all of them have in common; each of them needs
what its source needs, and one answer of it. Only nodes of one scope are compared, where each node has one answer: in a
body it may have another at the next iteration.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Final, TypeAlias

from handlers import TIMEOUT_PORT
from workflows.core.analysis import Analysis
from workflows.core.ancestry import Ancestry
from workflows.core.plan import EdgeType

Answer: TypeAlias = tuple[str, str, str]  # node, question, answer

_RUN: Final = ""  # is asked where it starts; no node has this id


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    needs: Mapping[str, int]  # node → what is true whenever it runs, as bits
    denies: Mapping[str, int]  # node → what is false whenever it runs

    def between(self, one: str, other: str) -> bool:
        """Whether no run has both nodes, of one scope, run."""
        return bool(self.needs[one] & self.denies[other])


def find_exclusion(analysis: Analysis, ancestry: Ancestry) -> Exclusion:
    """What excludes what. Edges that cannot be typed are left out."""
    edges = [*_edges(analysis)]
    starts: dict[str, tuple[Answer, ...]] = {}
    for root in {*analysis.paths.roots, *([] if analysis.paths.entry is None else [analysis.paths.entry])}:
        # An input takes part wherever a run starts.
        is_input = root in analysis.types and analysis.types[root].source
        starts[root] = () if is_input else ((_RUN, "start", root),)
    code = _Code(answer for answers in (*(edge[2] for edge in edges), *starts.values()) for answer in answers)
    into: dict[str, list[tuple[str, int]]] = {node: [] for node in ancestry.order}
    for source, target, answers in edges:
        into[target].append((source, code.bits(answers)))
    needs: dict[str, int] = {}
    for node in ancestry.order:
        ways = [needs[source] | answer for source, answer in into[node]]
        if node in starts:
            ways.append(code.bits(starts[node]))
        needs[node] = reduce(and_, ways) if ways else 0
    return Exclusion(needs=needs, denies={node: code.contrary(bits) for node, bits in needs.items()})


def _edges(analysis: Analysis) -> Iterator[tuple[str, str, tuple[Answer, ...]]]:
    """Source, target and what the source must have answered: a port is chosen by a node that completed.

    A pause that expired leaves by its timeout alone, so that is an end of its own.
    """
    for wire in analysis.wires:
        if not analysis.bodies.is_inside(wire.source, wire.target):
            continue
        match wire.type:
            case EdgeType.PORT if wire.port == TIMEOUT_PORT and analysis.types[wire.source].pauses:
                yield wire.source, wire.target, ((wire.source, "end", "expired"),)
            case EdgeType.ERROR:
                yield wire.source, wire.target, ((wire.source, "end", "failed"),)
            case EdgeType.SUCCESS:
                yield wire.source, wire.target, ((wire.source, "end", "completed"),)
            case EdgeType.PORT:
                chosen = (wire.source, "port", wire.port or "")
                yield wire.source, wire.target, ((wire.source, "end", "completed"), chosen)


class _Code:
    """Answers as bits. The answers to a question are numbered; each binary digit of a number is a pair of bits, one for
    0 and one for 1, so that different answers are contrary in some pair and all are compared in one operation.
    """

    def __init__(self, answers: Iterable[Answer]) -> None:
        numbers: dict[tuple[str, str], dict[str, int]] = {}
        for node, question, answer in answers:
            known = numbers.setdefault((node, question), {})
            known.setdefault(answer, len(known))
        self._bits: dict[Answer, int] = {}
        pairs = 0
        for (node, question), known in numbers.items():
            digits = (len(known) - 1).bit_length()  # none for a question that everybody answers alike
            for answer, number in known.items():
                places = (2 * (pairs + digit) + (number >> digit & 1) for digit in range(digits))
                self._bits[node, question, answer] = sum(1 << place for place in places)
            pairs += digits
        self._zeros = (1 << 2 * pairs) // 3  # the lower bit of each pair: …0101

    def bits(self, answers: Collection[Answer]) -> int:
        return reduce(lambda bits, answer: bits | self._bits[answer], answers, 0)

    def contrary(self, bits: int) -> int:
        """Each bit's other one of the pair."""
        return (bits & self._zeros) << 1 | bits >> 1 & self._zeros
