"""What the sections share: what they are given, and the goals that they are held against. Each section is a module with

measure(setup) -> a dictionary for its results file
tables(found)  -> that dictionary as Markdown
goals(found)   -> what was aimed at, and what came of it
"""

from dataclasses import dataclass
from typing import Any

from bench.material import Material

Found = dict[str, Any]  # plain values: it is kept as JSON


@dataclass(frozen=True)
class Setup:
    material: Material
    quick: bool  # a dry run: every step once or a few times, whose figures mean nothing

    def times(self, full: int) -> int:
        return max(2, full // 10) if self.quick else full


@dataclass(frozen=True)
class Goal:
    aim: str
    measured: str
    met: bool
    reason: str = ""  # why it is missed; shown only then


def say(line: str) -> None:
    print(f"  {line}", flush=True)
