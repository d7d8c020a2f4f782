"""The dependency rules of the house, read off the source: who may import whom, and what only a few may import."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [
    *(path for room in ("model", "serving", "training") for path in (ROOT / room).rglob("*.py")),
    ROOT / "handler.py",
]
FORBIDDEN = {
    "model": {"serving", "training", "handler", "flask", "click", "argparse"},
    "serving": {"training", "handler"},
    "training": {"serving", "handler", "flask"},
    "handler.py": {"training"},
}


def imports(path: Path, *, at_import: bool = False) -> Iterator[str]:
    """Yield the top-level packages a file imports; with `at_import`, only those outside of functions."""
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if at_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if at_import and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
        pending.extend(ast.iter_child_nodes(node))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_rooms_meet_only_as_drawn(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    assert not set(imports(path)) & FORBIDDEN[room]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_heavy_packages_are_imported_where_they_are_used_not_before(path: Path) -> None:
    assert not set(imports(path, at_import=True)) & {"tensorflow", "keras", "boto3", "botocore", "sklearn", "scipy"}


def test_tensorflow_and_boto3_are_known_to_few() -> None:
    knows = {
        package: {name_of(path) for path in SOURCES if package in imports(path)} for package in ("tensorflow", "boto3")
    }
    assert knows["tensorflow"] == {"model/engine.py", "training/savedmodel.py"}
    assert "model/s3.py" in knows["boto3"]
    assert not {path for path in knows["boto3"] if path.startswith("training/")}


def test_the_model_knows_no_environment() -> None:
    for path in (ROOT / "model").rglob("*.py"):
        assert "os.environ" not in path.read_text(), name_of(path)
        assert "sys.argv" not in path.read_text(), name_of(path)
