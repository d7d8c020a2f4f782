"""The results files: one a section, JSON, written the moment the section is done."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import ROOT
from bench.section import Found

RESULTS = ROOT / "bench" / "results"
DRY = ROOT / "build" / "bench" / "quick-results"  # of a dry run: nobody shall take them for figures

Results = dict[str, Found]  # by section


def write_result(folder: Path, section: str, found: Found, machine: Found, material: str, seconds: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    result = {
        "section": section,
        "measured": datetime.now(UTC).isoformat(timespec="minutes"),
        "seconds": round(seconds),
        "machine": machine,
        "material": material,
        "found": found,
    }
    (folder / f"{section}.json").write_text(json.dumps(_rounded(result), indent=1, ensure_ascii=False) + "\n")


def read_results(folder: Path) -> Results:
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def _rounded(value: object) -> object:
    """Six digits are more than any of these figures has."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    return value
