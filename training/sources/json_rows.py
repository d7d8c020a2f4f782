"""JSON Lines and manifests: Hugging Face's metadata, Vertex AI's import files, SageMaker's and Rekognition's manifests."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.sources.rows import LABELS, PARTS, PATHS, Row, Table, plain_name

ANNOTATIONS = {"classificationannotation", "classificationannotations"}  # Vertex AI
PLACE_OF_PART = "dataItemResourceLabels"  # Vertex AI's; it holds whatever else a team labels its items with
PART = "aiplatform.googleapis.com/ml_use"
JOB = "-metadata"  # a labelling job of SageMaker or Rekognition writes here, beside its label, what that is called


def table_from_json(path: Path, text: str) -> Table | None:
    """Read the rows; None where no line has an image and a label."""
    rows: list[Row] = []
    problems = []
    for line, found in _objects(text):
        flat = {plain_name(key): value for key, value in found.items()} if found else {}
        at = next((flat[name] for name in flat if name in PATHS and isinstance(flat[name], str)), None)
        if found is None:
            problems.append((line, "is not a JSON object, or names a field twice"))
        elif at is None:
            problems.append((line, f"names no image; its fields are {', '.join(found) or 'none'}"))
        else:
            rows.append(Row(line, at, tuple(dict.fromkeys(_labels(found, flat))), _part(found, flat)))
    if not any(row.labels for row in rows):
        return None
    return Table(path, "by the names of its fields", tuple(rows), tuple(problems))


def _objects(text: str) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield each line's object; of one array, each entry."""
    whole = _parsed(text) if text.lstrip().startswith("[") else None
    entries: Iterable[tuple[int, Any]]
    if isinstance(whole, list):
        entries = enumerate(whole, 1)
    else:
        entries = ((number, _parsed(line)) for number, line in enumerate(text.split("\n"), 1) if line.strip())
    for number, found in entries:
        yield number, found if isinstance(found, dict) else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None


def _object(fields: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError for a name that stands twice: json takes the last one's value, and a label would be lost."""
    found = dict(fields)
    if len(found) < len(fields):
        raise ValueError
    return found


def _labels(found: Mapping[str, Any], flat: Mapping[str, Any]) -> Iterator[str]:
    plain = [flat[name] for name in flat if name in LABELS][:1]
    annotations = _each(flat[name] for name in flat if name in ANNOTATIONS)
    displayed = [one["displayName"] for one in annotations if isinstance(one, dict) and "displayName" in one]
    jobs = [value for key, value in found.items() if key.endswith(JOB) and isinstance(value, dict)]
    maps = [list(job["class-map"].values()) for job in jobs if isinstance(job.get("class-map"), dict)]
    named = [*maps, *(job["class-name"] for job in jobs if "class-name" in job)]
    for value in _each(plain or displayed or named):
        if isinstance(value, str | int) and str(value).strip():
            yield str(value)


def _each(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, list) else [value]


def _part(found: Mapping[str, Any], flat: Mapping[str, Any]) -> str:
    nested = found.get(PLACE_OF_PART)
    values = [*(flat[name] for name in flat if name in PARTS), nested.get(PART) if isinstance(nested, dict) else None]
    return next((str(value) for value in values if value), "")
