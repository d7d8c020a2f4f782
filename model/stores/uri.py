"""What a model's URI names: <store>/<name>, <store>/<name>/<version> or <store>/<name>@<alias>, in a folder or a bucket."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from model.errors import ModelCorrupt, ModelNotFound
from model.manifest import Manifest
from model.stores.addresses import FORMS, is_remote
from model.stores.aliases import promotions_of
from model.stores.base import VERSION, Store
from model.stores.local import LocalStore

SCHEME = re.compile(r"[A-Za-z0-9+.-]{2,}:/")  # two letters at least: C:/models is a folder


@dataclass(frozen=True)
class ModelVersion:
    """One version of one model in one store."""

    store: Store
    name: str
    number: int

    def manifest(self) -> Manifest:
        manifest = self.store.read_manifest(self.name, self.number)
        if manifest.name != self.name:
            raise ModelCorrupt(f"{self}: its manifest is that of model {manifest.name!r}; publish the model again")
        return manifest

    def pull(self, manifest: Manifest, paths: list[str], cache: Path | None = None) -> Path:
        return self.store.pull(self.name, self.number, manifest, paths, cache)

    def __str__(self) -> str:
        return f"{self.store.uri}/{self.name}/{self.number}"


def open_store(uri: str) -> Store:
    """Open s3://bucket/prefix (any endpoint through AWS_ENDPOINT_URL), az://container/prefix, gs://bucket/prefix or a local folder.

    Nothing is touched yet. Raises ModelNotFound for what names no store.
    """
    if is_remote(uri):
        from model.stores.s3 import open_s3_store

        return open_s3_store(uri)
    if not uri:
        raise ModelNotFound(f"the store has no name (an empty variable, perhaps): give a folder, {FORMS}")
    if SCHEME.match(uri):
        raise ModelNotFound(f"{uri!r} is no store that this code knows: give a folder, {FORMS}")
    return LocalStore(Path(uri).expanduser())


@dataclass(frozen=True)
class ModelURI:
    """What a model's URI names: one version, whichever an alias points to, or the newest. Nothing is touched yet."""

    store_uri: str
    name: str
    version: int | None
    alias: str

    @classmethod
    def parse(cls, uri: str) -> "ModelURI":
        """Read <store>/<name>, <store>/<name>/<version> or <store>/<name>@<alias>, also written <store>/<name>/@<alias>."""
        parent, _, last = uri.rstrip("/").rpartition("/")
        name, _, alias = last.partition("@")
        version = int(name) if VERSION.fullmatch(name) and not alias else None
        if version or not name:
            parent, _, name = parent.rpartition("/")
        return cls(parent or ".", name, version, alias)

    @cached_property
    def store(self) -> Store:
        return open_store(self.store_uri)

    def versions(self) -> list[ModelVersion]:
        """The version to serve, then those that may stand in for it, best first. Raises ModelNotFound or StoreError."""
        return [ModelVersion(self.store, self.name, number) for number in self._numbers()]

    def _numbers(self) -> list[int]:
        if self.version:
            return [self.version]
        if self.alias:
            promotions = promotions_of(self.store, self.name, self.alias)
            if not promotions:
                raise ModelNotFound(
                    f"no alias {self.alias!r} of model {self.name!r} in {self.store.uri}; "
                    f"`python -m training promote` makes one"
                )
            return list(dict.fromkeys(promotion.version for promotion in reversed(promotions)))
        known = self.store.versions()
        if self.name not in known:
            raise ModelNotFound(
                f"no model {self.name!r} in {self.store.uri}; it holds: {', '.join(known) or 'none'}. "
                "A model is named by <store>/<name>, <store>/<name>/<version> or <store>/<name>@<alias>"
            )
        return known[self.name][::-1]


def resolve(uri: str) -> ModelVersion:
    """Resolve a model's URI (see ModelURI.parse) to the version that it names now.

    Raises ModelNotFound, StoreForbidden or StoreUnavailable.
    """
    return ModelURI.parse(uri).versions()[0]
