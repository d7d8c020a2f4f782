"""Models whose files do not say what is so: each is refused by a ModelError, whatever the lie, and the version before serves."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.classifier import load_version
from model.errors import ModelCorrupt, ModelError, ModelIncompatible
from model.golden import SCORES
from model.manifest import CARD, COMPILED_MODEL, GOLDEN, LABELS, MANIFEST
from model.stores.uri import ModelURI
from serving.model_loader import Versions
from tests.support.fakes import ListTelemetry

Change = Callable[[Path], None]  # of a version's directory


@pytest.fixture
def store(tiny_model: str, tmp_path: Path) -> Path:
    """Two equal versions of the tiny model."""
    for number in ("1", "2"):
        shutil.copytree(Path(tiny_model) / "1" / "assets.extra", tmp_path / "tiny" / number / "assets.extra")
    return tmp_path


def manifest(**changes: Any) -> Change:
    def change(version: Path) -> None:
        fields = json.loads((version / MANIFEST).read_text())
        for name, value in changes.items():
            fields[name] = value(fields[name]) if callable(value) else value
        (version / MANIFEST).write_text(json.dumps(fields))

    return change


def written(text: str | bytes) -> Change:
    return lambda version: (version / MANIFEST).write_bytes(text if isinstance(text, bytes) else text.encode())


def signed(path: str, content: bytes) -> Change:
    """Replace a file, and its digest in the manifest."""

    def change(version: Path) -> None:
        (version / path).parent.mkdir(parents=True, exist_ok=True)
        (version / path).write_bytes(content)
        entry = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        manifest(files=lambda files: files | {path: entry})(version)

    return change


def golden(change: Callable[[dict[str, Any]], object]) -> Change:
    return lambda version: signed(SCORES, json.dumps(change(json.loads((version / SCORES).read_text()))).encode())(
        version
    )


def listed(path: str, **entry: Any) -> Change:
    return manifest(files=lambda files: files | {path: {"sha256": "0" * 64, "size": 1} | entry})


def without(*paths: str) -> Change:
    return manifest(files=lambda files: {path: entry for path, entry in files.items() if not path.startswith(paths)})


def each(change: Callable[[list[float]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda expected: {file: {name: change(row) for name, row in by.items()} for file, by in expected.items()}


def renamed(expected: dict[str, Any]) -> object:
    return {f"../../../../../../etc/{file}": scores for file, scores in expected.items()}


def gone(path: str) -> Change:
    return lambda version: (version / path).unlink()


def turned_into_a_fifo(version: Path) -> None:
    (version / COMPILED_MODEL).unlink()
    os.mkfifo(version / COMPILED_MODEL)


def cut_manifest(version: Path) -> None:
    written((version / MANIFEST).read_text()[:300])(version)


def deep_metrics(version: Path) -> None:
    deep = '"metrics": {"x": ' + "[" * 100_000 + "]" * 100_000 + ","
    written((version / MANIFEST).read_text().replace('"metrics": {', deep))(version)


def fewer_labels(version: Path) -> None:
    manifest(labels=["blue", "green"])(version)
    signed(LABELS, b"blue\ngreen\n")(version)


def empty_label(version: Path) -> None:
    manifest(labels=["blue", "green", " "])(version)
    signed(LABELS, b"blue\ngreen\n \n")(version)


def spoiled_golden_image(version: Path) -> None:
    file = next(iter(json.loads((version / SCORES).read_text())))
    signed(f"{GOLDEN}/{file}", b"no image")(version)


def cut_compiled_model(version: Path) -> None:
    (version / COMPILED_MODEL).write_bytes((version / COMPILED_MODEL).read_bytes()[:1000])


THRESHOLDS = {"precision": 0.95, "labels": [0.5, 0.5, 0.5], "distance": 0.8, "false_alarms": 0.05}

LIES: dict[str, Change] = {
    "labels swapped": manifest(labels=lambda labels: labels[::-1]),
    "one label fewer": manifest(labels=lambda labels: labels[:-1]),
    "one label more": manifest(labels=lambda labels: [*labels, "x"]),
    "one label fewer, in both places": fewer_labels,
    "no labels": manifest(labels=[]),
    "labels are one text": manifest(labels="blue"),
    "labels are numbers": manifest(labels=[1, 2, 3]),
    "labels are nothing": manifest(labels=[None] * 3),
    "a label twice": manifest(labels=["blue", "blue", "red"]),
    "another model's name": manifest(name="roses"),
    "no name": manifest(name=None),
    **{f"schema {schema!r}": manifest(schema=schema) for schema in (-1, 0, True, "1", 1.9, None, [], 10**20)},
    "schema NaN": written('{"schema": NaN}'),
    "empty manifest": written(""),
    "cut manifest": cut_manifest,
    "no UTF-8": written(b"\xff\xfe{}"),
    "deep manifest": written("[" * 200_000),
    "deep metrics": deep_metrics,
    "metrics are a list": manifest(metrics=[1]),
    "preprocessing of another code": manifest(preprocessing="999"),
    "preprocessing is a number": manifest(preprocessing=1),
    **{f"files are {files!r}": manifest(files=files) for files in (None, [], {})},
    **{
        f"a file called {path[:20]!r}": listed(path)
        for path in ("", "..", "/etc/passwd", "a/../../x", "a\\..\\x", "a\0b", "assets.extra/" + "a" * 5000, "\ud800")
    },
    "a file that is a folder": listed(GOLDEN),
    "a file inside a file": listed(f"{LABELS}/x"),
    "a file by another of its names": listed(f"./{LABELS}"),
    "a folder by its slash": listed("variables/"),
    "a manifest that lists itself": listed(MANIFEST),
    "a path longer than a key may be": listed("/".join(["a" * 200] * 6)),
    "an empty label": empty_label,
    "labels in no UTF-8": signed(LABELS, b"blue\ngreen\n\xff\n"),
    "a wrong size": listed(COMPILED_MODEL, size=1),
    "no size": listed(COMPILED_MODEL, size=None),
    "golden images not listed": without(GOLDEN),
    "labels not listed": without(LABELS),
    "golden scores are garbage": signed(SCORES, b"xx"),
    "golden scores are empty": signed(SCORES, b""),
    "golden scores are none": golden(lambda _: {}),
    "golden scores are a list": golden(lambda _: []),
    "golden NaN": signed(SCORES, b'{"0.jpeg": {"litert": [NaN, 0, 0]}}'),
    "golden scores out of range": golden(each(lambda row: [1e308, *row[1:]])),
    "golden scores of one class": golden(each(lambda row: row[:1])),
    "golden scores of fewer classes": golden(each(lambda row: row[:-1])),
    "golden scores are numbers": golden(each(lambda row: row[0])),
    "golden scores of another engine": golden(lambda found: {file: {"other": [0.0]} for file in found}),
    "golden images elsewhere": golden(renamed),
    "a golden image that is none": spoiled_golden_image,
    "thresholds of fewer labels": manifest(thresholds=THRESHOLDS | {"labels": [0.5]}),
    "a threshold out of range": manifest(thresholds=THRESHOLDS | {"labels": [0.5, 2, 0.5]}),
    "thresholds are a number": manifest(thresholds=0.5),
    "golden images may be off below nothing": manifest(golden_log_odds=-1),
    "a cut compiled model": cut_compiled_model,
    "no compiled model": gone(COMPILED_MODEL),
    "an empty compiled model": signed(COMPILED_MODEL, b""),
    "a compiled model of garbage": signed(COMPILED_MODEL, bytes(range(256)) * 400),
    "a compiled model that is a FIFO": turned_into_a_fifo,
    "other labels": signed(LABELS, b"a\nb\n"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_by_name_and_the_version_before_serves(store: Path, lie: str) -> None:
    LIES[lie](store / "tiny" / "2")
    telemetry = ListTelemetry()
    served = Versions(
        ModelURI.parse(f"{store}/tiny"), lambda version: load_version(version, "litert"), telemetry
    ).first()
    assert served.version == 1
    [(entry, error)] = telemetry.refusals
    assert entry == {"model": "tiny", "version": 2}
    assert isinstance(error, ModelError)


def test_a_label_may_hold_what_python_takes_for_the_end_of_a_line(store: Path) -> None:
    labels = ["blue\u2028", "green\x85", "red\x0c"]
    manifest(labels=labels)(store / "tiny" / "2")
    signed(LABELS, "".join(f"{label}\n" for label in labels).encode())(store / "tiny" / "2")
    assert load_version(ModelURI.parse(f"{store}/tiny/2").versions()[0], "litert").manifest.labels == tuple(labels)


def test_a_card_that_is_no_text_keeps_no_model_from_serving(store: Path) -> None:
    signed(CARD, b"\xff# a card")(store / "tiny" / "2")
    assert load_version(ModelURI.parse(f"{store}/tiny/2").versions()[0], "litert").card == "\ufffd# a card"


def test_what_only_newer_code_can_run_says_so(store: Path) -> None:
    manifest(schema=99)(store / "tiny" / "2")
    with pytest.raises(ModelIncompatible, match="upgrade this code"):
        load_version(ModelURI.parse(f"{store}/tiny/2").versions()[0], "litert")


def test_a_flipped_bit_anywhere_is_refused(store: Path) -> None:
    version = ModelURI.parse(f"{store}/tiny/2").versions()[0]
    for path in sorted((store / "tiny" / "2").rglob("*")):
        if not path.is_file() or path.name == "manifest.json":
            continue
        sound = path.read_bytes()
        for place in {0, len(sound) // 2, len(sound) - 1}:
            path.write_bytes(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1 :])
            with pytest.raises(ModelCorrupt, match="is not the file that was published"):
                load_version(version, "litert")
        path.write_bytes(sound)
    assert load_version(version, "litert").version == 2
