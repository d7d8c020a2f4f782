"""A process that runs while its alias moves: what answers, when, and what becomes of a version that is no good."""

import shutil
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import boto3
import pytest

from model.aliases import promote, rollback
from model.errors import ModelCorrupt, ModelNotFound, StoreUnavailable
from model.golden import SCORES
from model.manifest import MANIFEST, Manifest, describe_files
from model.store import Address, open_store
from serving.journal import LogJournal
from serving.models import ModelHolder, Renewal, open_models
from serving.settings import Settings
from serving.versions import Versions
from tests.serving.fakes import colour_classifier
from tests.serving.test_models import Clock


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
    """Makes a classifier of a place; `faults` maps version → what goes wrong with it."""

    def __init__(self, **faults):
        self.faults, self.versions = {int(version[1:]): error for version, error in faults.items()}, []

    def __call__(self, place):
        self.versions.append(place.version)
        if place.version in self.faults:
            raise self.faults[place.version]
        return replace(colour_classifier(), version=place.version)


def follow(store, journal, load, clock, uri="m@production", patience=10.0):
    versions = Versions(Address.parse(f"{store.uri}/{uri}"), load, journal)
    return ModelHolder(versions.first, clock, Renewal(versions.newer, every=60, patience=patience))


def test_a_changed_alias_is_picked_up_when_its_time_has_passed_and_not_before(store, journal):
    clock, load = Clock(), Loads()
    holder = follow(store, journal, load, clock)
    assert holder.get().version == 1
    promote(store, "m", 3, "production")
    clock.now += 59
    assert holder.get().version == 1
    clock.now += 1
    assert holder.get().version == 3
    assert load.versions == [1, 3]


def test_the_way_back_is_as_short(store, journal):
    clock = Clock()
    holder = follow(store, journal, Loads(), clock)
    promote(store, "m", 2, "production")
    assert holder.get().version == 2
    rollback(store, "m", "production")
    clock.now += 60
    assert holder.get().version == 1


def test_the_newest_version_is_followed_where_no_alias_is_named(store, journal):
    clock = Clock()
    holder = follow(store, journal, Loads(), clock, uri="m")
    assert holder.get().version == 3
    write_version(Path(store.uri), 4)
    clock.now += 60
    assert holder.get().version == 4


def test_an_alias_that_stands_still_loads_nothing(store, journal):
    clock, load = Clock(), Loads()
    holder = follow(store, journal, load, clock)
    first = holder.get()
    for _ in range(3):
        clock.now += 60
        assert holder.get() is first
    assert load.versions == [1]


def test_while_another_version_loads_everybody_is_answered_by_the_one_that_is_there(store, journal):
    clock, begun, go_on = Clock(), Event(), Event()

    def load(place):
        if place.version == 2:
            begun.set()
            go_on.wait(10)
        return replace(colour_classifier(), version=place.version)

    holder = follow(store, journal, load, clock, patience=0)
    assert holder.get().version == 1
    promote(store, "m", 2, "production")
    clock.now += 60
    assert holder.get().version == 1  # begins the look, and does not wait for it
    assert begun.wait(10)
    assert [holder.get().version for _ in range(5)] == [1] * 5
    go_on.set()
    assert holder._looking.acquire(timeout=10)
    assert holder.get().version == 2


def test_a_look_that_takes_too_long_is_not_waited_for(store, journal):
    clock, go_on = Clock(), Event()

    def load(place):
        assert place.version == 1 or go_on.wait(10)
        return replace(colour_classifier(), version=place.version)

    holder = follow(store, journal, load, clock, patience=0.05)
    holder.get()
    promote(store, "m", 2, "production")
    clock.now += 60
    assert holder.get().version == 1
    go_on.set()
    assert holder._looking.acquire(timeout=10)


def test_of_many_requests_at_once_one_looks(store, journal):
    clock, load = Clock(), Loads()
    holder = follow(store, journal, load, clock)
    holder.get()
    promote(store, "m", 2, "production")
    clock.now += 60
    threads = [Thread(target=holder.get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load.versions == [1, 2]


def test_a_version_that_is_no_good_is_refused_and_the_last_good_one_stays(store, journal):
    clock, bad = Clock(), ModelCorrupt("off on its golden images")
    load = Loads(v2=bad)
    holder = follow(store, journal, load, clock)
    holder.get()
    promote(store, "m", 2, "production")
    for _ in range(3):
        clock.now += 60
        assert holder.get().version == 1
    assert load.versions == [1, 2], "it was tried again"
    assert journal.refusals == [({"model": "m", "version": 2}, bad)] * 3, "the alarm rings for as long as it is named"
    promote(store, "m", 3, "production")
    clock.now += 60
    assert holder.get().version == 3
    assert len(journal.refusals) == 3


def test_a_process_that_starts_while_the_alias_names_a_bad_version_serves_the_one_before(store, journal):
    clock = Clock()
    promote(store, "m", 3, "production")
    promote(store, "m", 2, "production")
    holder = follow(store, journal, Loads(v2=ModelCorrupt("bad")), clock)
    assert holder.get().version == 3
    assert [entry["version"] for entry, _ in journal.refusals] == [2]
    rollback(store, "m", "production")
    clock.now += 60
    assert holder.get().version == 3


def test_a_process_that_starts_goes_back_as_far_as_the_last_good_version(store, journal):
    load = Loads(v3=ModelCorrupt("bad"), v2=ModelCorrupt("bad too"))
    holder = follow(store, journal, load, Clock(), uri="m")
    assert holder.get().version == 1
    assert [entry["version"] for entry, _ in journal.refusals] == [3, 2]


def test_where_no_version_is_good_the_fault_of_the_named_one_is_told(store, journal):
    load = Loads(v3=ModelCorrupt("bad"), v2=ModelCorrupt("bad too"), v1=ModelCorrupt("bad as well"))
    with pytest.raises(ModelCorrupt, match=r"^bad$"):
        follow(store, journal, load, Clock(), uri="m").get()


def test_a_pinned_version_has_no_stand_in(store, journal):
    versions = Versions(Address.parse(f"{store.uri}/m/2"), Loads(v2=ModelCorrupt("bad")), journal)
    with pytest.raises(ModelCorrupt):
        versions.first()
    assert len(journal.refusals) == 1


def test_a_store_that_is_away_refuses_nothing_and_changes_nothing(store, journal):
    clock, load = Clock(), Loads(v2=StoreUnavailable("away"))
    holder = follow(store, journal, load, clock)
    holder.get()
    promote(store, "m", 2, "production")
    clock.now += 60
    assert holder.get().version == 1
    load.faults.clear()
    clock.now += 60
    assert holder.get().version == 2
    assert journal.refusals == []
    assert len(journal.failures) == 1


def test_an_alias_that_was_taken_away_changes_nothing(store, journal):
    clock = Clock()
    holder = follow(store, journal, Loads(), clock)
    holder.get()
    shutil.rmtree(Path(store.uri) / "m/aliases")
    clock.now += 60
    assert holder.get().version == 1
    assert isinstance(journal.failures[0][1], ModelNotFound)


def test_whatever_goes_wrong_in_a_look_the_next_one_is_still_made(store, journal):
    clock, load = Clock(), Loads(v2=OSError("No space left on device"))
    holder = follow(store, journal, load, clock)
    holder.get()
    promote(store, "m", 2, "production")
    clock.now += 60
    assert holder.get().version == 1
    load.faults.clear()
    clock.now += 60
    assert holder.get().version == 2


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
        model_uri="s3://models/store/tiny@production", model_refresh=0, cache=tmp_path / "cache", metrics=True
    )
    holder = open_models(settings, LogJournal("INFO", metrics=True, service="recognition-prod"))
    assert holder.get().version == 1
    promote(store, "tiny", 2, "production")
    assert holder.get().version == 1
    written = capsys.readouterr().out
    assert '"ModelRefused":[1.0]' in written
    assert '"service":"recognition-prod"' in written
    assert "golden image" in written
    rollback(store, "tiny", "production")
    capsys.readouterr()
    assert holder.get().version == 1
    assert "ModelRefused" not in capsys.readouterr().out
