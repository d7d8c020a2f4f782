"""What a person decided about labels, read from suspects.csv as it was filled in, and applied to a data set.

A row holds for a picture, by the digest of its pixels: renames, moves and edited metadata do not matter.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

from training.dataset import Dataset, Example
from training.errors import DatasetError
from training.sources.names import normalised

KEEP, LEAVE_OUT = "keep", "leave out"  # in the column `decision`; what else stands there is a label
PIXELS = re.compile(r"[0-9a-f]{64}")
NEEDED = ("picture", "decision")


@dataclass(frozen=True)
class Corrections:
    """Decisions by picture, and where they stand."""

    path: Path
    digest: str  # SHA-256 of the file
    decisions: Mapping[str, tuple[int, str]]  # pixels → the row's line, KEEP, LEAVE_OUT or a label


@dataclass(frozen=True)
class Corrected:
    """A data set after the decisions, and how many images each kind of them met."""

    dataset: Dataset
    decided: frozenset[str] = frozenset()  # pixels that a person has judged
    relabelled: int = 0
    left_out: int = 0
    absent: int = 0  # rows whose picture the set has not: deleted since
    emptied: tuple[str, ...] = ()  # labels that no image is left of: the model will not know them
    digest: str | None = None  # SHA-256 of the file; None: nothing was to be corrected

    def described(self) -> dict[str, Any] | None:
        """For a manifest."""
        if self.digest is None:
            return None
        counts = {"decided": len(self.decided), "relabelled": self.relabelled, "left_out": self.left_out}
        return {"sha256": self.digest, **counts, "absent": self.absent, "emptied": list(self.emptied)}


def read_corrections(path: Path) -> Corrections:
    """Read the rows that have a decision. Raises DatasetError naming the row that cannot be meant."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 (byte {error.start:,}): save it as CSV in UTF-8") from error
    delimiter = max(",;\t", key=text.partition("\n")[0].count)  # spreadsheets write what their country writes
    rows = csv.DictReader(StringIO(text, newline=""), delimiter=delimiter, strict=True)  # an open quote would take rows
    decisions: dict[str, tuple[int, str]] = {}
    try:
        if missing := [name for name in NEEDED if name not in (rows.fieldnames or ())]:
            raise DatasetError(f"{path} has no column {missing[0]!r}: its first line is that of suspects.csv")
        for row in rows:
            decision = normalised((row["decision"] or "").strip())
            if decision:
                picture = (row["picture"] or "").strip()
                _refuse_row(path, rows.line_num, picture, decision, decisions)
                decisions[picture] = rows.line_num, decision
    except csv.Error as error:
        raise DatasetError(f"{path}, line {rows.reader.line_num}: cannot be read ({error})") from error
    return Corrections(path, sha256(data).hexdigest(), decisions)


def _refuse_row(path: Path, line: int, picture: str, decision: str, before: Mapping[str, tuple[int, str]]) -> None:
    if not PIXELS.fullmatch(picture):
        raise DatasetError(
            f"{path}, line {line}: {picture!r} is no digest of a picture; leave the column 'picture' as suspects.csv has it"
        )
    if picture in before and before[picture][1] != decision:
        raise DatasetError(
            f"{path}, line {line}: decides {decision!r}, and line {before[picture][0]} decides {before[picture][1]!r} "
            "for the same picture; leave one of them"
        )


def correct(dataset: Dataset, corrections: Corrections) -> Corrected:
    """Apply the decisions. Raises DatasetError where one is no label of the set, or where none meets a picture of it."""
    labels = set(dataset.labels)
    for line, decision in corrections.decisions.values():
        if decision not in {*labels, KEEP, LEAVE_OUT}:
            raise DatasetError(
                f"{corrections.path}, line {line}: {decision!r} is no label of {dataset.root}; write one of "
                f"{', '.join(sorted(labels))}, or '{KEEP}', or '{LEAVE_OUT}'"
            )
    decisions = {pixels: decision for pixels, (_, decision) in corrections.decisions.items()}
    met = [(example, decisions[example.pixels]) for example in dataset.examples if example.pixels in decisions]
    if decisions and not met:
        raise DatasetError(f"{corrections.path} is about other pictures: none of its rows names one of {dataset.root}")
    after = {example.pixels: _after(example, decision, labels) for example, decision in met}
    examples = (after.get(example.pixels, example) for example in dataset.examples)
    corrected = replace(dataset, examples=tuple(example for example in examples if example))
    return Corrected(
        corrected,
        frozenset(after),
        relabelled=sum(
            found is not None and found.label != example.label
            for (example, _), found in zip(met, after.values(), strict=True)
        ),
        left_out=sum(found is None for found in after.values()),
        absent=len(decisions) - len(met),
        emptied=tuple(sorted(labels.difference(corrected.labels))),
        digest=corrections.digest,
    )


def _after(example: Example, decision: str, labels: set[str]) -> Example | None:
    """The example as it was decided; what is a label is one, even where it is called like another decision."""
    if decision in labels:
        return replace(example, label=decision)
    return example if decision == KEEP else None
