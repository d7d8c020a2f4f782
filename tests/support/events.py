"""Lambda events in the exact form that AWS documents, one a file."""

import json
from typing import Any

from tests import ROOT

EVENTS = ROOT / "tests" / "events"


def load_event(name: str) -> dict[str, Any]:
    return json.loads((EVENTS / f"{name}.json").read_text())


def event_names(*beginnings: str) -> list[str]:
    return sorted(path.stem for path in EVENTS.glob("*.json") if path.stem.startswith(beginnings))
