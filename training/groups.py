"""Which pictures belong together, so that no part of the split, and no fold, separates them: near-duplicates, and what --group-by says.

A group is known by the lowest digest of its pictures: adding, renaming or moving others changes nothing.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.dataset import Dataset, Example
from training.errors import DatasetError
from training.near_duplicates import find_pairs
from training.problems import Problem, Severity
from training.sources.listing import shown
from training.sources.names import normalised

MOST = 10  # pictures that are near-duplicates of one another in any set
MOST_SHARE = 0.1  # of all pictures in a larger set; beyond both, one scene in front of a camera that does not move


@dataclass(frozen=True)
class Groups:
    keys: Mapping[str, str]  # a picture's pixels → its group's lowest pixels; a picture that is not here is alone
    near_duplicates: tuple[tuple[Example, ...], ...] = ()  # the largest groups first
    problems: tuple[Problem, ...] = ()  # warnings


def find_groups(dataset: Dataset, hashes: Mapping[str, bytes], group_by: str | None) -> Groups:
    """Group the examples. `hashes` by content digest; raises DatasetError where --group-by matches no path."""
    examples = dataset.examples
    alike, problems = _tight(dataset, find_pairs([hashes.get(example.digest, b"") for example in examples]))
    pairs = np.concatenate([alike, _same_key(dataset, group_by)])
    near_duplicates = [[examples[i] for i in rows] for rows in _components(len(examples), alike)]
    keys = {
        examples[i].pixels: min(examples[j].pixels for j in rows)
        for rows in _components(len(examples), pairs)
        for i in rows
    }
    return Groups(
        keys,
        tuple(tuple(group) for group in sorted(near_duplicates, key=lambda group: (-len(group), group[0].pixels))),
        (
            *problems,
            *_crossing(dataset, near_duplicates),
            *([] if problems else _contradicting(dataset, near_duplicates)),
        ),
    )


def key_function(group_by: str) -> re.Pattern[str]:
    """Raises DatasetError where the expression is none."""
    try:
        return re.compile(normalised(group_by))
    except re.error as error:
        raise DatasetError(f"--group-by {group_by!r} is no regular expression: {error}") from error


def _same_key(dataset: Dataset, group_by: str | None) -> NDArray[np.int64]:
    """Pairs (P, 2) of pictures whose paths have the same key: the first capture group, else the whole match."""
    if group_by is None:
        return np.empty((0, 2), np.int64)
    pattern, rows = key_function(group_by), defaultdict(list)
    for i, example in enumerate(dataset.examples):
        found = pattern.search(normalised(shown(dataset.root, example.path)))
        key = found and (found.group(1) if pattern.groups else found.group())
        if key:
            rows[key].append(i)
    if not rows:
        first = shown(dataset.root, dataset.examples[0].path)
        raise DatasetError(f"--group-by {group_by!r} matches no path of the set; the first one is {first!r}")
    return np.array([(some[0], i) for some in rows.values() for i in some[1:]], np.int64).reshape(-1, 2)


def _tight(dataset: Dataset, pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[Problem]]:
    """Leave out the pairs of groups so large that alike does not mean near-duplicate; say so."""
    count = len(dataset.examples)
    large = [rows for rows in _components(count, pairs) if len(rows) > max(MOST, MOST_SHARE * count)]
    if not large:
        return pairs, []
    within = {i for rows in large for i in rows}
    detail = (
        f"{len(within):,} of {count:,} pictures look alike, as from a camera that does not move: near-duplicates among them "
        "cannot be told from the rest, and where some are learned from and others tested with, the figures are too good; name "
        "what belongs together with --group-by"
    )
    kept = np.array([pair for pair in pairs if pair[0] not in within], np.int64).reshape(-1, 2)
    return kept, [Problem(Severity.WARNING, "alike-all", ".", detail)]


def _components(count: int, pairs: NDArray[np.int64]) -> list[list[int]]:
    """The rows of each group of more than one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return []
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    _, component = connected_components(graph, directed=False)
    rows = defaultdict(list)
    for i in np.unique(pairs):
        rows[component[i]].append(int(i))
    return list(rows.values())


def _crossing(dataset: Dataset, groups: Iterable[Sequence[Example]]) -> list[Problem]:
    """Near-duplicates that a divided set holds in several parts."""
    detail = "nearly the same picture as {}, in another part of the split: figures are too good by it"
    return [
        Problem(
            Severity.WARNING, "leak", shown(dataset.root, other.path), detail.format(shown(dataset.root, first.path))
        )
        for first, *others in groups
        for other in others
        if other.part != first.part
    ]


def _contradicting(dataset: Dataset, groups: Iterable[Sequence[Example]]) -> list[Problem]:
    """Near-duplicates under several labels; not to be asked where the hash cannot tell the set's pictures apart."""
    detail = "nearly the same picture as {}, under another label; look at both"
    return [
        Problem(
            Severity.WARNING,
            "near-conflict",
            shown(dataset.root, other.path),
            detail.format(shown(dataset.root, first.path)),
        )
        for first, *others in groups
        for other in others
        if other.label != first.label
    ]
