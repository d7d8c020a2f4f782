"""Lambda events in the exact form that AWS documents, one a file."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def load_event(name: str) -> dict[str, Any]:
    return json.loads((HERE / f"{name}.json").read_text())


def event_names(*beginnings: str) -> list[str]:
    return sorted(path.stem for path in HERE.glob("*.json") if path.stem.startswith(beginnings))
