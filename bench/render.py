"""bench/results/*.json → the marked blocks of README.md and docs/benchmarks.md. It measures nothing."""

from pathlib import Path

from bench.candidates import TITLES
from bench.machine import ROOT
from bench.results import RESULTS, Results, read_results
from bench.section import Found, Goal, Section
from bench.sections import SECTIONS
from bench.tables import figure, ratio, table

BEGIN, END = "<!-- bench:start -->", "<!-- bench:end -->"
README, DOCS = ROOT / "README.md", ROOT / "docs" / "benchmarks.md"


def render() -> list[Path]:
    """Write what has changed; return it."""
    results = read_results(RESULTS)
    wanted = {
        README: with_block(README.read_text(), summary(results)),
        DOCS: with_block(DOCS.read_text(), everything(results)),
    }
    changed = [path for path, text in wanted.items() if path.read_text() != text]
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


def summary(results: Results) -> str:
    rows = {}
    for section, found in _measured(results):
        if section.headline:
            one = section.headline(found)
            rows[one.what] = {
                "this project": f"{figure(one.ours)} {one.unit}",
                "baseline": f"{figure(one.theirs)} {one.unit}, {one.baseline}",
                "ratio": ratio(one.theirs, one.ours),
            }
    machine = _machine(results)
    where = f"{machine['cores']} cores of {machine['processor']} ({', '.join(machine['instructions'])})"
    more = "[What is compared with what, and which goals are missed](docs/benchmarks.md)."
    return f"{table('measured side by side, in one run', rows)}\n\nOn {where}, {_days(results)}. {more}"


def everything(results: Results) -> str:
    return "\n\n".join([measured_on(results), goals_table(results), *(_page(*each) for each in _measured(results))])


def measured_on(results: Results) -> str:
    machine = _machine(results)
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    materials = sorted({result["material"] for result in results.values()})
    load = max(result["machine"]["load_before"] for result in results.values())
    return (
        f"Measured {_days(results)} on {machine['cores']} cores of {machine['processor']} "
        f"({', '.join(machine['instructions'])}), {machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}; "
        f"{libraries}. Photos and weights: {'; '.join(materials)}. When a section began, the load average (that of "
        f"the section before it included) was at most {load}."
    )


def goals_table(results: Results) -> str:
    goals = [goal for section, found in _measured(results) for goal in section.goals(found)]
    rows = {goal.aim: {"measured": _told(goal), "": "met" if goal.met else "**missed**"} for goal in goals}
    return table("goal", rows)


def _told(goal: Goal) -> str:
    return goal.measured if goal.met or not goal.reason else f"{goal.measured}; {goal.reason}"


def _page(section: Section, found: Found) -> str:
    tables = [
        table(corner, {TITLES.get(row, row): cells for row, cells in found[name].items()})
        for name, corner in section.tables.items()
        if found.get(name)
    ]
    limits = (
        f"\n\nLimits of memory and CPU were not set here: {found['not_measured']}." if "not_measured" in found else ""
    )
    return "\n\n".join([f"### {section.title}", *tables, section.note + limits])


def _measured(results: Results) -> list[tuple[Section, Found]]:
    return [(section, results[name]["found"]) for name, section in SECTIONS.items() if name in results]


def _machine(results: Results) -> Found:
    found: Found = max(results.values(), key=lambda result: str(result["measured"]))["machine"]
    return found


def _days(results: Results) -> str:
    return " and ".join(sorted({result["measured"][:10] for result in results.values()}))
