"""What a section of the benchmarks is: it measures rows of figures, and says what they were held against."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.material import Material

Found = dict[str, Any]  # plain values, kept as JSON; what stands under the name of a table is {row: {column: figure}}


@dataclass(frozen=True)
class Setup:
    material: Material
    quick: bool  # a dry run: every step once or a few times, whose figures mean nothing

    def times(self, full: int) -> int:
        return max(2, full // 10) if self.quick else full


@dataclass(frozen=True)
class Comparison:
    """One figure of ours beside a baseline's, measured in the same run; the less, the better."""

    what: str
    ours: float
    baseline: str
    theirs: float
    unit: str

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours


@dataclass(frozen=True)
class Goal:
    aim: str
    measured: str
    met: bool
    reason: str = ""  # why it is missed; shown only then


@dataclass(frozen=True)
class Section:
    title: str
    tables: dict[str, str]  # name in what was found → the table's first heading
    note: str
    measure: Callable[[Setup], Found]
    goals: Callable[[Found], list[Goal]] = lambda _: []
    headline: Callable[[Found], Comparison] | None = None  # its row in README


def say(line: str) -> None:
    print(f"  {line}", flush=True)
