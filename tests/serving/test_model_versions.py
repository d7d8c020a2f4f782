"""A process that runs while its alias moves: what answers, when, and what becomes of a version that is no good."""

import shutil
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import boto3
import pytest

from model.errors import ModelCorrupt, ModelNotFound, StoreUnavailable
from model.golden import SCORES
from model.manifest import MANIFEST, Manifest, describe_files
from model.stores.aliases import promote, rollback
from model.stores.uri import ModelURI, open_store
from serving.model_loader import ModelLoader, Refresh, Versions, open_model_loader
from serving.settings import Settings
from serving.telemetry import LogTelemetry
from tests.serving.test_model_loader import Clock
from tests.support.fakes import colour_classifier


def write_version(store: Path, version: int) -> None:
    path = store / "m" / str(version) / MANIFEST
    path.parent.mkdir(parents=True)
    path.write_text(Manifest("m", "2026-01-01", ("a",), "1", {}, {}, {}, {}, {}, None, {}).dumps())


@pytest.fixture
def store(tmp_path):
    """A store that holds versions 1, 2 and 3 of the model m, of which production is version 1."""
    for version in (1, 2, 3):
        write_version(tmp_path, version)
    opened = open_store(str(tmp_path))
    promote(opened, "m", 1, "production")
    return opened


class Loads:
    """Makes a classifier of a version; `faults` maps version → what goes wrong with it."""

    def __init__(self, **faults):
        self.faults, self.versions = {int(version[1:]): error for version, error in faults.items()}, []

    def __call__(self, version):
        self.versions.append(version.number)
        if version.number in self.faults:
            raise self.faults[version.number]
        return replace(colour_classifier(), version=version.number)


def follow(store, telemetry, load, clock, uri="m@production", patience=10.0):
    versions = Versions(ModelURI.parse(f"{store.uri}/{uri}"), load, telemetry)
    return ModelLoader(versions.first, clock, Refresh(versions.newer, every=60, patience=patience))


def test_a_changed_alias_is_picked_up_when_its_time_has_passed_and_not_before(store, telemetry):
    clock, load = Clock(), Loads()
    loader = follow(store, telemetry, load, clock)
    assert loader.get().version == 1
    promote(store, "m", 3, "production")
    clock.now += 59
    assert loader.get().version == 1
    clock.now += 1
    assert loader.get().version == 3
    assert load.versions == [1, 3]


def test_the_way_back_is_as_short(store, telemetry):
    clock = Clock()
    loader = follow(store, telemetry, Loads(), clock)
    promote(store, "m", 2, "production")
    assert loader.get().version == 2
    rollback(store, "m", "production")
    clock.now += 60
    assert loader.get().version == 1


def test_the_newest_version_is_followed_where_no_alias_is_named(store, telemetry):
    clock = Clock()
    loader = follow(store, telemetry, Loads(), clock, uri="m")
    assert loader.get().version == 3
    write_version(Path(store.uri), 4)
    clock.now += 60
    assert loader.get().version == 4


def test_an_alias_that_stands_still_loads_nothing(store, telemetry):
    clock, load = Clock(), Loads()
    loader = follow(store, telemetry, load, clock)
    first = loader.get()
    for _ in range(3):
        clock.now += 60
        assert loader.get() is first
    assert load.versions == [1]


def test_while_another_version_loads_everybody_is_answered_by_the_one_that_is_there(store, telemetry):
    clock, begun, go_on = Clock(), Event(), Event()

    def load(version):
        if version.number == 2:
            begun.set()
            go_on.wait(10)
        return replace(colour_classifier(), version=version.number)

    loader = follow(store, telemetry, load, clock, patience=0)
    assert loader.get().version == 1
    promote(store, "m", 2, "production")
    clock.now += 60
    assert loader.get().version == 1  # begins the look, and does not wait for it
    assert begun.wait(10)
    assert [loader.get().version for _ in range(5)] == [1] * 5
    go_on.set()
    assert loader._looking.acquire(timeout=10)
    assert loader.get().version == 2


def test_a_look_that_takes_too_long_is_not_waited_for(store, telemetry):
    clock, go_on = Clock(), Event()

    def load(version):
        assert version.number == 1 or go_on.wait(10)
        return replace(colour_classifier(), version=version.number)

    loader = follow(store, telemetry, load, clock, patience=0.05)
    loader.get()
    promote(store, "m", 2, "production")
    clock.now += 60
    assert loader.get().version == 1
    go_on.set()
    assert loader._looking.acquire(timeout=10)


def test_of_many_requests_at_once_one_looks(store, telemetry):
    clock, load = Clock(), Loads()
    loader = follow(store, telemetry, load, clock)
    loader.get()
    promote(store, "m", 2, "production")
    clock.now += 60
    threads = [Thread(target=loader.get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load.versions == [1, 2]


def test_a_version_that_is_no_good_is_refused_and_the_last_good_one_stays(store, telemetry):
    clock, bad = Clock(), ModelCorrupt("off on its golden images")
    load = Loads(v2=bad)
    loader = follow(store, telemetry, load, clock)
    loader.get()
    promote(store, "m", 2, "production")
    for _ in range(3):
        clock.now += 60
        assert loader.get().version == 1
    assert load.versions == [1, 2], "it was tried again"
    assert telemetry.refusals == [({"model": "m", "version": 2}, bad)] * 3, "the alarm rings for as long as it is named"
    promote(store, "m", 3, "production")
    clock.now += 60
    assert loader.get().version == 3
    assert len(telemetry.refusals) == 3


def test_a_process_that_starts_while_the_alias_names_a_bad_version_serves_the_one_before(store, telemetry):
    clock = Clock()
    promote(store, "m", 3, "production")
    promote(store, "m", 2, "production")
    loader = follow(store, telemetry, Loads(v2=ModelCorrupt("bad")), clock)
    assert loader.get().version == 3
    assert [entry["version"] for entry, _ in telemetry.refusals] == [2]
    rollback(store, "m", "production")
    clock.now += 60
    assert loader.get().version == 3


def test_a_process_that_starts_goes_back_as_far_as_the_last_good_version(store, telemetry):
    load = Loads(v3=ModelCorrupt("bad"), v2=ModelCorrupt("bad too"))
    loader = follow(store, telemetry, load, Clock(), uri="m")
    assert loader.get().version == 1
    assert [entry["version"] for entry, _ in telemetry.refusals] == [3, 2]


def test_where_no_version_is_good_the_fault_of_the_named_one_is_told(store, telemetry):
    load = Loads(v3=ModelCorrupt("bad"), v2=ModelCorrupt("bad too"), v1=ModelCorrupt("bad as well"))
    with pytest.raises(ModelCorrupt, match=r"^bad$"):
        follow(store, telemetry, load, Clock(), uri="m").get()


def test_a_pinned_version_has_no_stand_in(store, telemetry):
    versions = Versions(ModelURI.parse(f"{store.uri}/m/2"), Loads(v2=ModelCorrupt("bad")), telemetry)
    with pytest.raises(ModelCorrupt):
        versions.first()
    assert len(telemetry.refusals) == 1


def test_a_store_that_is_away_refuses_nothing_and_changes_nothing(store, telemetry):
    clock, load = Clock(), Loads(v2=StoreUnavailable("away"))
    loader = follow(store, telemetry, load, clock)
    loader.get()
    promote(store, "m", 2, "production")
    clock.now += 60
    assert loader.get().version == 1
    load.faults.clear()
    clock.now += 60
    assert loader.get().version == 2
    assert telemetry.refusals == []
    assert len(telemetry.failures) == 1


def test_an_alias_that_was_taken_away_changes_nothing(store, telemetry):
    clock = Clock()
    loader = follow(store, telemetry, Loads(), clock)
    loader.get()
    shutil.rmtree(Path(store.uri) / "m/aliases")
    clock.now += 60
    assert loader.get().version == 1
    assert isinstance(telemetry.failures[0][1], ModelNotFound)


def test_whatever_goes_wrong_in_a_look_the_next_one_is_still_made(store, telemetry):
    clock, load = Clock(), Loads(v2=OSError("No space left on device"))
    loader = follow(store, telemetry, load, clock)
    loader.get()
    promote(store, "m", 2, "production")
    clock.now += 60
    assert loader.get().version == 1
    load.faults.clear()
    clock.now += 60
    assert loader.get().version == 2


def spoil_golden_scores(version: Path) -> None:
    """Make the version expect other scores of its golden images, as if it were run unfaithfully here."""
    scores = version / SCORES
    scores.write_text(scores.read_text().replace("0.9", "0.1"))
    manifest = Manifest.loads((version / MANIFEST).read_bytes(), "")
    (version / MANIFEST).write_text(replace(manifest, files=describe_files(version)).dumps())


def test_a_real_model_that_fails_its_golden_images_is_refused_on_s3_with_an_alarm(aws, tiny_model, tmp_path, capsys):
    local = Path(tiny_model)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="models")
    for version in ("1", "2"):
        shutil.copytree(local / "1", tmp_path / version)
    spoil_golden_scores(tmp_path / "2")
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        s3.upload_file(str(path), "models", f"store/tiny/{path.relative_to(tmp_path)}")
    store = open_store("s3://models/store")
    promote(store, "tiny", 1, "production")
    settings = Settings(
        model_uri="s3://models/store/tiny@production",
        model_refresh_seconds=0,
        model_cache=tmp_path / "cache",
        aws_lambda_function_name="classify",
        service_name="recognition-prod",
    )
    loader = open_model_loader(settings, LogTelemetry(settings))
    assert loader.get().version == 1
    promote(store, "tiny", 2, "production")
    assert loader.get().version == 1
    written = capsys.readouterr().out
    assert '"ModelRefused":[1.0]' in written
    assert '"service":"recognition-prod"' in written
    assert "golden image" in written
    rollback(store, "tiny", "production")
    capsys.readouterr()
    assert loader.get().version == 1
    assert "ModelRefused" not in capsys.readouterr().out
