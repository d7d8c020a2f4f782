"""The dependency rules of the house, read off the source: who may import whom, and what only a few may import."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests import ROOT

ROOMS = ("model", "cluster", "serving", "training", "ops")
SOURCES = [*(path for room in ROOMS for path in (ROOT / room).rglob("*.py")), ROOT / "handler.py"]
FORBIDDEN = {  # beginning of a module's name → beginnings of what it must not import
    "model": ("cluster", "serving", "training", "ops", "handler", "flask", "click", "argparse"),
    "cluster": ("serving", "training", "ops", "handler", "flask", "click"),
    "serving": ("cluster", "training", "ops"),
    "serving.http": ("serving.uploads", "serving.bulk", "training", "ops", "handler"),
    "serving.bulk": ("serving.http", "serving.uploads", "training", "ops", "handler", "flask"),
    "serving.uploads": ("serving.http", "serving.bulk", "training", "ops", "handler", "flask"),
    "training": ("serving", "ops", "handler", "flask"),
    "ops": ("training", "handler"),
    "handler": ("cluster", "training", "ops"),
}
HEAVY = {"tensorflow", "keras", "boto3", "botocore", "obstore", "sklearn", "scipy", "matplotlib", "jinja2"}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in SOURCES}


def imports(path: Path, *, at_import: bool = False) -> Iterator[str]:
    """Yield the modules that a file imports; with `at_import`, only those outside of functions and of type checking."""
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if at_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if at_import and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES else node.module for name in names)
        pending.extend(ast.iter_child_nodes(node))


def begins(name: str, beginning: str) -> bool:
    return f"{name}.".startswith(f"{beginning}.")


@pytest.mark.parametrize("module", MODULES)
def test_rooms_meet_only_as_drawn(module: str) -> None:
    forbidden = {name for room, names in FORBIDDEN.items() if begins(module, room) for name in names}
    assert not [found for found in imports(MODULES[module]) for name in forbidden if begins(found, name)]


def test_there_is_no_circle_of_imports() -> None:
    graph = {module: {found for found in imports(path) if found in MODULES} for module, path in MODULES.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError, naming the circle


@pytest.mark.parametrize("module", MODULES)
def test_heavy_packages_are_imported_where_they_are_used_not_before(module: str) -> None:
    assert not {name.partition(".")[0] for name in imports(MODULES[module], at_import=True)} & HEAVY


def test_tensorflow_boto3_and_obstore_are_known_to_few() -> None:
    knows = {
        package: {module for module, path in MODULES.items() if any(begins(name, package) for name in imports(path))}
        for package in ("tensorflow", "boto3", "obstore")
    }
    assert knows["tensorflow"] == {"model.engine", "training.saved_classifier", "training.savedmodel"}
    assert knows["obstore"] == {"model.stores.cloud_errors", "model.stores.clouds"}
    assert "model.stores.s3" in knows["boto3"]
    assert not {module for module in knows["boto3"] if begins(module, "training")}


def test_ray_is_imported_where_somebody_asks_for_it() -> None:
    knows = {module for module, path in MODULES.items() if any(begins(name, "ray") for name in imports(path))}
    assert knows == {"cluster.actors", "ops.bulk.ray_engine", "training.ray_engine"}
    for module in MODULES.keys() - knows:
        assert not knows & set(imports(MODULES[module], at_import=True)), module


def test_the_model_knows_no_environment() -> None:
    for path in (ROOT / "model").rglob("*.py"):
        assert "os.environ" not in path.read_text(), module_of(path)
        assert "sys.argv" not in path.read_text(), module_of(path)
