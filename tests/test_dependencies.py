"""Every package that is imported is declared where it is imported, and locked with the hashes that every install asks for."""

import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tests import ROOT
from tests.test_imports import imports

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
GROUPS = {"model": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
RUN = ("model", "tensorflow", "serving", "server", "training", "ops", "ray")
FOLDERS = {  # of the repository → the groups that are installed where its code runs
    "model": ("model", "tensorflow"),
    "cluster": ("model", "ray"),
    "serving": ("model", "serving"),
    "handler.py": ("model", "serving"),
    "training": ("model", "tensorflow", "training"),
    "ops": ("model", "serving", "ops"),
    "bench": (*RUN, "dev", "bench"),
    "tests": (*RUN, "dev"),
}
ELSEWHERE = {  # imported where only training, the server image, or a Ray cluster, comes
    ("model/decoding/damage.py", "simplejpeg"): "training",
    ("model/stores/cloud_errors.py", "obstore"): "server",
    ("model/stores/clouds.py", "obstore"): "server",
    ("model/stores/local.py", "filelock"): "training",
    ("ops/bulk/ray_engine.py", "ray"): "ray",
    ("training/ray_engine.py", "ray"): "ray",
    ("serving/http/gunicorn_connection.py", "gunicorn"): "server",
    ("serving/http/gunicorn_worker.py", "gunicorn"): "server",
}
LOCKS = {
    "requirements.txt": ("model", "serving", "tensorflow"),
    "requirements-litert.txt": ("model", "serving"),
    "serving/requirements.txt": ("model", "serving", "server"),
    "training/requirements.txt": ("model", "training", "tensorflow"),
    "tests/requirements.txt": (*RUN, "dev"),
    "bench/requirements.txt": ("model", "bench"),
}
TYPES = "types_boto3_"
packages_by_module = cache(packages_distributions)
OURS = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}


def name_of(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


def declared(*groups: str) -> set[str]:
    return {name_of(requirement) for group in groups for requirement in GROUPS[group]}


def locked(lock: str) -> dict[str, str]:
    """Map each package and its version to what follows, hashes included."""
    entries = re.split(r"^(?=\w)", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return {entry.split()[0]: entry for entry in entries if entry}


@cache
def third_party(folder: str) -> list[tuple[str, str]]:
    """Each file and each module of somebody else's that it imports."""
    files = [ROOT / folder] if folder.endswith(".py") else (ROOT / folder).rglob("*.py")
    found = {(str(path.relative_to(ROOT)), name.partition(".")[0]) for path in files for name in imports(path)}
    return [(path, module) for path, module in sorted(found) if module not in sys.stdlib_module_names | OURS]


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_imported_is_declared_for_the_folder_that_imports_it(folder: str) -> None:
    published_in = packages_by_module()
    for path, module in third_party(folder):
        if module.startswith(TYPES):
            continue  # imported while types are checked, never when the code runs
        groups = {*FOLDERS[folder], ELSEWHERE.get((path, module), "model")}
        packages = {name_of(package) for package in published_in.get(module, [module])}
        assert packages & declared(*groups), f"{path} imports {module}: declare it in one of {sorted(groups)}"


def test_the_types_of_each_aws_service_are_declared() -> None:
    imported = {module for folder in FOLDERS for _, module in third_party(folder) if module.startswith(TYPES)}
    (extras,) = re.findall(r"types-boto3\[(.+?)\]", " ".join(GROUPS["dev"]))
    assert imported <= {f"{TYPES}{service}" for service in extras.split(",")}


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_declared_is_locked_with_hashes(lock: str) -> None:
    entries = locked(lock)
    assert declared(*LOCKS[lock]) <= {name_of(entry) for entry in entries}, "run: make lock"
    assert not [entry for entry, text in entries.items() if "--hash=sha256:" not in text]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_package_has_the_same_versions_in_every_lock(lock: str) -> None:
    tested = locked("tests/requirements.txt")
    names = {name_of(entry) for entry in tested}
    assert {entry for entry in locked(lock) if name_of(entry) in names} <= set(tested)


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_every_install_requires_hashes(file: str) -> None:
    text = (ROOT / file).read_text().replace("\\\n", " ")
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert installs
    for install in installs:
        assert "--require-hashes" in install
