"""Aliases: names such as `production` that point to a version, so that what serves can change without a deploy.

An alias is one small file beside the versions, <store>/<name>/aliases/<alias>.json. It remembers every version that it
pointed to, so that there is a way back, and it is replaced in one step: a reader sees the old one or the new one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from model.errors import ModelCorrupt, ModelNotFound, StoreUnavailable
from model.stores.base import AliasFile, Store

ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Promotion:
    version: Annotated[int, msgspec.Meta(ge=1)]
    at: str  # ISO 8601, UTC


@dataclass(frozen=True)
class _History:
    """An alias's file."""

    promotions: Annotated[list[Promotion], msgspec.Meta(min_length=1)]  # oldest first


def promote(store: Store, name: str, version: int, alias: str) -> list[Promotion]:
    """Point the alias to a version; return where it has pointed, newest last. Raises ModelNotFound or StoreError."""
    if not ALIAS.fullmatch(alias):
        raise ModelNotFound(f"{alias!r} cannot name an alias: write letters, digits, dot, hyphen, underscore")
    store.read_manifest(name, version)  # an alias never points to what is not there

    def add(promotions: list[Promotion]) -> list[Promotion]:
        if promotions and promotions[-1].version == version:
            return promotions
        return [*promotions, Promotion(version, datetime.now(UTC).isoformat(timespec="seconds"))]

    return _change(store, name, alias, add)


def rollback(store: Store, name: str, alias: str) -> list[Promotion]:
    """Point the alias to where it pointed before; doing it twice goes back twice. Raises ModelNotFound or StoreError."""

    def drop(promotions: list[Promotion]) -> list[Promotion]:
        if len(promotions) < 2:
            raise ModelNotFound(f"{store.uri}/{name}@{alias} has pointed to no other version before; promote one")
        store.read_manifest(name, promotions[-2].version)
        return promotions[:-1]

    return _change(store, name, alias, drop)


def promotions_of(store: Store, name: str, alias: str) -> list[Promotion]:
    """Where the alias has pointed, newest last; empty where there is no such alias. Raises ModelCorrupt or StoreError."""
    return _loads(store.read_alias(name, alias), f"{store.uri}/{name}@{alias}")


def _change(
    store: Store, name: str, alias: str, change: Callable[[list[Promotion]], list[Promotion]]
) -> list[Promotion]:
    where = f"{store.uri}/{name}@{alias}"
    seen = store.read_alias(name, alias)
    before = _loads(seen, where)
    after = change(before)
    if after != before and not store.write_alias(name, alias, _dumps(after), seen):
        raise StoreUnavailable(f"{where} was changed by somebody else at the same moment: look at it, and try again")
    return after


def _dumps(promotions: list[Promotion]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(_History(promotions)), indent=1) + b"\n"


def _loads(file: AliasFile | None, where: str) -> list[Promotion]:
    if file is None:
        return []
    try:
        return msgspec.json.decode(file.content, type=_History).promotions
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ModelCorrupt(f"{where}: the alias's file cannot be read ({error}); delete it and promote anew") from error
