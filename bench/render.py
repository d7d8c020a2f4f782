"""bench/results/*.json → the marked blocks of README.md and docs/benchmarks.md, and their pictures. It measures nothing."""

from importlib import import_module
from pathlib import Path
from typing import Any

from bench.machine import ROOT
from bench.picture import picture
from bench.results import RESULTS, read_results
from bench.section import Goal
from bench.tables import table

SECTIONS = ("cold", "warm", "memory", "throughput", "size", "training", "parity", "cost")
BEGIN, END = "<!-- bench:start -->", "<!-- bench:end -->"
README, DOCS, PICTURE = ROOT / "README.md", ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.svg"
NOTHING = "Nothing is measured yet: `make bench` does it."


def render() -> list[Path]:
    """Write what has changed; return it."""
    results = read_results(RESULTS)
    wanted = {
        README: with_block(README.read_text(), summary(results)),
        DOCS: with_block(DOCS.read_text(), everything(results)),
    } | ({PICTURE: picture(results)} if results else {})
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in changed:
        path.write_text(wanted[path])
    return changed


def with_block(page: str, block: str) -> str:
    """Replace what stands between the marks."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{head}{BEGIN}\n{block.strip()}\n{END}{tail}"


def summary(results: dict[str, Any]) -> str:
    if not results:
        return NOTHING
    return "\n\n".join(
        [
            "![Cold start, warm answer and memory beside ONNX Runtime, TensorFlow and Keras](docs/benchmarks.svg)",
            goals_table(results),
            measured_on(results),
            "All tables, and what is compared with what: [docs/benchmarks.md](docs/benchmarks.md).",
        ]
    )


def everything(results: dict[str, Any]) -> str:
    if not results:
        return NOTHING
    parts = [_module(name).tables(results[name]["found"]) for name in SECTIONS if name in results]
    return "\n\n".join([measured_on(results), goals_table(results), *parts])


def measured_on(results: dict[str, Any]) -> str:
    machine = max(results.values(), key=lambda result: result["measured"])["machine"]
    days = sorted({result["measured"][:10] for result in results.values()})
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    materials = sorted({result["material"] for result in results.values()})
    load = max(result["machine"]["load_before"] for result in results.values())
    return (
        f"Measured {' and '.join(days)} on {machine['cores']} cores of {machine['processor']} "
        f"({', '.join(machine['instructions'])}), {machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}; "
        f"{libraries}. Photos and weights: {'; '.join(materials)}. When a section began, the load average (that of "
        f"the section before it included) was at most {load}."
    )


def goals_table(results: dict[str, Any]) -> str:
    goals = [goal for name in SECTIONS if name in results for goal in _module(name).goals(results[name]["found"])]
    rows = [[goal.aim, _measured(goal), "met" if goal.met else "**missed**"] for goal in goals]
    return table(["goal", "measured", ""], rows, figures=False)


def _measured(goal: Goal) -> str:
    return goal.measured if goal.met or not goal.reason else f"{goal.measured}; {goal.reason}"


def _module(section: str) -> Any:
    return import_module(f"bench.{section}")
