"""The commands that work on a store of models and train nothing: publish, list, promote, rollback and prune."""

import tempfile
from pathlib import Path

import click

from model.classifier import load_classifier
from model.stores.aliases import promote, promotions_of, rollback
from model.stores.retention import prune
from model.stores.uri import open_store, resolve
from training.console import Console
from training.evaluate_command import labelled_images
from training.options import MODEL
from training.run import Run
from training.sources.listing import CACHE
from training.store_pages import model_table, promotions_page, pruned_page

ALIAS = click.option("--alias", default="production", show_default=True, help="Which alias.")


@click.command("publish", short_help="Copy a model into another store.", epilog=MODEL)
@click.argument("model")
@click.argument("store")
def publish_command(model: str, store: str) -> None:
    """Copy a MODEL that was published in one store to another, where it gets the next version number."""
    place = resolve(model)
    manifest = place.manifest()
    with tempfile.TemporaryDirectory() as scratch:
        directory = place.pull(manifest, list(manifest.files), Path(scratch))
        with Console().bytes("publishing", sum(entry.size for entry in manifest.files.values())) as done:
            version = open_store(store).publish(directory, manifest, done)
    click.echo(f"Published {place} as {store}/{manifest.name}/{version}")
    click.echo(f"A deployment serves it if it was made with --param modelName={manifest.name}")


@click.command("list", short_help="List a store's models and their aliases.")
@click.argument("store")
def list_command(store: str) -> None:
    """List a STORE's models: each version with its figures, and the aliases that point to it."""
    click.echo(model_table(open_store(store)))


@click.command("promote", short_help="Point an alias to a version: what serves it follows.")
@click.argument("store")
@click.argument("name")
@click.argument("version", type=click.IntRange(1))
@ALIAS
@click.option(
    "--unless-worse",
    metavar="IMAGE_DIR",
    help="Labelled images: exit with 1, and promote nothing, where VERSION is worse on them with 95 % confidence.",
)
def promote_command(store: str, name: str, version: int, alias: str, unless_worse: str | None) -> None:
    """Point an alias of the model NAME in STORE to a VERSION: what serves NAME@ALIAS follows within a minute."""
    if unless_worse:
        _refuse_worse(store, name, version, alias, unless_worse)
    click.echo(promotions_page(f"{store.rstrip('/')}/{name}@{alias}", promote(open_store(store), name, version, alias)))


def _refuse_worse(store: str, name: str, version: int, alias: str, images: str) -> None:
    """Raise ClickException where a version is worse than what the alias points to; where there is no alias yet, nothing is."""
    from training.answers import answer
    from training.comparison import compare_answers, sentence

    promotions = promotions_of(open_store(store), name, alias)
    if not promotions or promotions[-1].version == version:
        return
    run, place = Run(Console()), f"{store.rstrip('/')}/{name}"
    dataset = labelled_images(images, run)
    models = (
        load_classifier(f"{place}/{number}", cache=CACHE / "models") for number in (promotions[-1].version, version)
    )
    found = compare_answers(*(answer(model, dataset, run) for model in models))
    said = f"version {version} against {promotions[-1].version}: {sentence(found)}"
    if found.worse:
        raise click.ClickException(f"{said}; {alias} stays where it is")
    click.echo(said)


@click.command("rollback", short_help="Point an alias to where it pointed before.")
@click.argument("store")
@click.argument("name")
@ALIAS
def rollback_command(store: str, name: str, alias: str) -> None:
    """Point an alias of the model NAME in STORE to where it pointed before; once more goes one further back."""
    click.echo(promotions_page(f"{store.rstrip('/')}/{name}@{alias}", rollback(open_store(store), name, alias)))


@click.command("prune", short_help="Remove a model's old versions, for good.")
@click.argument("store")
@click.argument("name")
@click.option("--keep", type=click.IntRange(1), default=5, show_default=True, help="How many of the newest stay.")
def prune_command(store: str, name: str, keep: int) -> None:
    """Remove old versions of the model NAME from STORE, for good.

    A version that an alias names, or that a rollback leads to, always stays.
    """
    click.echo(pruned_page(f"{store.rstrip('/')}/{name}", prune(open_store(store), name, keep)))


STORE_COMMANDS = (publish_command, list_command, promote_command, rollback_command, prune_command)
