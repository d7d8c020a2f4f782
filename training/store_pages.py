"""What the commands that work on a store show: tables and sentences, from plain values."""

from collections.abc import Sequence

from model.stores.aliases import Promotion, promotions_of
from model.stores.base import Store
from model.stores.retention import Pruned
from training.console import table


def model_table(store: Store) -> str:
    """Every version in a store with the figures of the engine that serves by default."""
    rows = []
    for name, versions in store.versions().items():
        pointed = {alias: promotions_of(store, name, alias)[-1].version for alias in store.aliases(name)}
        for number in versions:
            manifest = store.read_manifest(name, number)
            found = manifest.metrics.get("litert") or manifest.metrics["tensorflow"]
            low, high = found["accuracy_interval"]
            compiled = (manifest.parity.get("compiled") or {}).get("precision", "none")
            accuracy = f"{found['accuracy']:.1%} ({low:.1%} – {high:.1%})"
            aliases = ", ".join(alias for alias, version in pointed.items() if version == number)
            rows.append((name, number, manifest.created, len(manifest.labels), accuracy, found["n"], compiled, aliases))
    header = ["name", "version", "created", "labels", "accuracy (95 % interval)", "N", "compiled", "alias"]
    return table(header, rows) if rows else f"{store.uri} holds no model"


def promotions_page(where: str, promotions: Sequence[Promotion]) -> str:
    """Where an alias points now, and where a rollback would lead."""
    before = f"; a rollback leads to version {promotions[-2].version}" if len(promotions) > 1 else ""
    return f"{where} is version {promotions[-1].version}, since {promotions[-1].at}{before}"


def pruned_page(where: str, pruned: Pruned) -> str:
    """What was removed, what is left, and what an alias holds."""
    removed = ", ".join(map(str, pruned.removed)) or "nothing"
    held = "".join(f"; {version} is held by the alias {alias}" for version, alias in pruned.held.items())
    return f"{where}: removed {removed}; left {', '.join(map(str, pruned.kept))}{held}"
