"""Aliases in every kind of store: where they point, the way back, and who wins when two change one."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from model.errors import ModelCorrupt, ModelNotFound, StoreUnavailable
from model.manifest import MANIFEST, Manifest
from model.stores.addresses import address_of
from model.stores.aliases import promote, promotions_of, rollback
from model.stores.base import AliasFile, Store
from model.stores.s3 import open_client
from model.stores.uri import ModelURI, open_store, resolve
from tests.support.clouds import KINDS, empty_bucket


def manifest() -> str:
    return Manifest("m", "2026-01-01", ("a",), "1", {}, {}, {}, {}, {}, None, {}).dumps()


@pytest.fixture(params=["folder", *KINDS])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store that holds versions 1, 2 and 3 of the model m."""
    if request.param == "folder":
        for version in (1, 2, 3):
            path = tmp_path / "store/m" / str(version) / MANIFEST
            path.parent.mkdir(parents=True)
            path.write_text(manifest())
        return open_store(str(tmp_path / "store"))
    bucket = empty_bucket(request, request.param)
    for version in (1, 2, 3):
        key = f"store/m/{version}/{MANIFEST}"
        open_client(bucket).put_object(Bucket=bucket, Key=key, Body=manifest().encode())
    return open_store(address_of(bucket, "store"))


def test_a_uri_names_the_newest_version_one_version_or_an_alias(store: Store) -> None:
    promote(store, "m", 2, "production")
    versions = {
        uri: resolve(f"{store.uri}/{uri}").number for uri in ("m", "m/", "m/1", "m@production", "m/@production")
    }
    assert versions == {"m": 3, "m/": 3, "m/1": 1, "m@production": 2, "m/@production": 2}


def test_an_alias_moves_on_and_finds_its_way_back_step_by_step(store: Store) -> None:
    for version in (1, 3, 2):
        promote(store, "m", version, "production")
    pointed = [promotions_of(store, "m", "production")[-1].version]
    pointed += [rollback(store, "m", "production")[-1].version for _ in range(2)]
    assert pointed == [2, 3, 1]
    with pytest.raises(ModelNotFound, match="no other version before"):
        rollback(store, "m", "production")


def test_promoting_what_is_promoted_changes_nothing(store: Store) -> None:
    first = promote(store, "m", 2, "production")
    assert promote(store, "m", 2, "production") == first


def test_an_alias_cannot_point_to_a_version_that_is_not_there(store: Store) -> None:
    with pytest.raises(ModelNotFound):
        promote(store, "m", 4, "production")
    assert store.aliases("m") == []


def test_an_alias_needs_a_name_that_is_no_version_and_leads_nowhere_else(store: Store) -> None:
    for alias in ("", "7", "../production", "a/b", "a@b"):
        with pytest.raises(ModelNotFound, match="cannot name an alias"):
            promote(store, "m", 1, alias)


def test_an_unknown_alias_is_refused_with_the_remedy(store: Store) -> None:
    with pytest.raises(ModelNotFound, match="training promote"):
        resolve(f"{store.uri}/m@staging")


def test_what_may_stand_in_for_an_alias_is_where_it_pointed_before(store: Store) -> None:
    for version in (1, 3, 1, 2):
        promote(store, "m", version, "production")
    assert [found.number for found in ModelURI.parse(f"{store.uri}/m@production").versions()] == [2, 1, 3]
    assert [found.number for found in ModelURI.parse(f"{store.uri}/m").versions()] == [3, 2, 1]
    assert [found.number for found in ModelURI.parse(f"{store.uri}/m/2").versions()] == [2]


def test_an_alias_is_written_only_by_who_has_seen_how_it_stands(store: Store) -> None:
    promote(store, "m", 1, "production")
    seen = store.read_alias("m", "production")
    promote(store, "m", 2, "production")
    assert store.write_alias("m", "production", b"{}", seen) is False
    assert store.write_alias("m", "production", b"{}", None) is False
    assert promotions_of(store, "m", "production")[-1].version == 2


def test_a_change_that_was_overtaken_says_so(store: Store) -> None:
    class Overtaken:
        """A store in which every write comes second."""

        uri = store.uri
        read_manifest = store.read_manifest
        read_alias = store.read_alias

        def write_alias(self, name: str, alias: str, content: bytes, seen: AliasFile | None) -> bool:
            return False

    with pytest.raises(StoreUnavailable, match="somebody else"):
        promote(Overtaken(), "m", 1, "production")  # type: ignore[arg-type]


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"\xff\xfe",
    b"[" * 200_000,
    b'{"promotions": []}',
    b'{"promotions": [{"version": 2, "at": "\xff"}]}',
    b'{"promotions": {"version": 1}}',
    b'{"promotions": [{"version": "x"}]}',
    b'{"promotions": [{"version": "2", "at": ""}]}',
    b'{"promotions": [{"version": 2.5, "at": ""}]}',
    b'{"promotions": [{"version": 0, "at": ""}]}',
    b'{"promotions": [{"version": 1e999, "at": ""}]}',
    b'{"promotions": [{"version": ' + b"9" * 5000 + b', "at": ""}]}',
]


def test_a_broken_alias_file_is_named_with_the_remedy(store: Store) -> None:
    for content in BROKEN:
        store.write_alias("m", "broken", content, store.read_alias("m", "broken"))
        with pytest.raises(ModelCorrupt, match="promote"):
            promotions_of(store, "m", "broken")


def test_aliases_are_listed_and_are_no_versions(store: Store) -> None:
    promote(store, "m", 1, "staging")
    promote(store, "m", 2, "production")
    assert store.aliases("m") == ["production", "staging"]
    assert store.versions() == {"m": [1, 2, 3]}


def test_of_writers_at_the_same_moment_one_wins(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    store, together = open_store(str(tmp_path)), Barrier(8)

    def write(alias: str, number: int) -> bool:
        together.wait()
        return store.write_alias("m", alias, str(number).encode(), seen=None)

    with ThreadPoolExecutor(8) as pool:
        for turn in range(30):
            won = list(pool.map(partial(write, f"alias-{turn}"), range(8)))
            assert won.count(True) == 1
            assert store.read_alias("m", f"alias-{turn}").content == str(won.index(True)).encode()
