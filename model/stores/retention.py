"""Which versions of a model may go: all but the newest, and never one that an alias names or that a rollback leads to."""

from dataclasses import dataclass

from model.errors import ModelNotFound
from model.stores.aliases import promotions_of
from model.stores.base import Store

ROLLBACK = 2  # promotions of an alias that hold: where it points, and where it pointed before


@dataclass(frozen=True)
class Pruned:
    removed: tuple[int, ...]
    kept: tuple[int, ...]
    held: dict[int, str]  # a version older than the newest → the alias that holds it


def prune(store: Store, name: str, keep: int) -> Pruned:
    """Remove old versions of a model for good, the oldest first. Raises ModelNotFound or StoreError."""
    known = store.versions().get(name)
    if not known:
        raise ModelNotFound(f"no model {name!r} in {store.uri}; `python -m training list {store.uri}` lists them")
    named = {
        promotion.version: alias
        for alias in store.aliases(name)
        for promotion in promotions_of(store, name, alias)[-ROLLBACK:]
    }
    old = known[:-keep]
    removed = [version for version in old if version not in named]
    for version in removed:
        store.remove(name, version)
    held = {version: named[version] for version in old if version in named}
    return Pruned(tuple(removed), tuple(version for version in known if version not in removed), held)
