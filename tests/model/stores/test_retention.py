"""What goes and what stays, in every kind of store."""

from pathlib import Path

import pytest

from model.errors import ModelNotFound
from model.manifest import describe_files
from model.stores.addresses import address_of, is_remote, parse_address
from model.stores.aliases import promote, rollback
from model.stores.base import Store
from model.stores.objects import open_bucket
from model.stores.retention import prune
from model.stores.uri import open_store
from tests.model.test_manifest import manifest
from tests.support.clouds import KINDS, empty_bucket


@pytest.fixture(params=["local", *KINDS])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        store = open_store(str(tmp_path / "store"))
    else:
        store = open_store(address_of(empty_bucket(request, request.param), "some/prefix"))
    export = tmp_path / "export"
    (export / "assets.extra").mkdir(parents=True)
    (export / "assets.extra/labels.txt").write_text("rose\n")
    for _ in range(7):
        store.publish(export, manifest(files=describe_files(export)))
    return store


def test_the_newest_stay(store: Store) -> None:
    pruned = prune(store, "flowers", 5)
    assert (pruned.removed, pruned.kept) == ((1, 2), (3, 4, 5, 6, 7))
    assert store.versions() == {"flowers": [3, 4, 5, 6, 7]}
    with pytest.raises(ModelNotFound):
        store.read_manifest("flowers", 1)
    assert prune(store, "flowers", 5).removed == ()


def test_nothing_of_a_removed_version_is_left(store: Store, tmp_path: Path) -> None:
    prune(store, "flowers", 1)
    if is_remote(store.uri):
        bucket, prefix = parse_address(store.uri)
        listed = open_bucket(bucket).list("")
        left = {found.key.removeprefix(f"{prefix}/flowers/").partition("/")[0] for found in listed}
    else:
        left = {path.name for path in (tmp_path / "store/flowers").iterdir()}
    assert left == {"7"}


def test_what_an_alias_names_and_what_a_rollback_leads_to_stays(store: Store) -> None:
    for version in (1, 2, 3):
        promote(store, "flowers", version, "production")
    pruned = prune(store, "flowers", 1)
    assert pruned.kept == (2, 3, 7)
    assert pruned.held == {2: "production", 3: "production"}
    assert rollback(store, "flowers", "production")[-1].version == 2


def test_the_next_version_takes_a_number_that_was_never_used(store: Store, tmp_path: Path) -> None:
    prune(store, "flowers", 1)
    assert store.publish(tmp_path / "export", manifest(files=describe_files(tmp_path / "export"))) == 8


def test_a_model_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(ModelNotFound, match="no model 'roses'"):
        prune(store, "roses", 5)
