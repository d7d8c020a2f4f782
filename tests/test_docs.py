"""What is written is true: the tree, the commands and the links of README and docs are those of the code."""

import re
import subprocess
from pathlib import Path

import click
import pytest

from tests import ROOT
from training.cli import CONTENTS, main
from training.retrain_help import SECTIONS

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TRAINING = re.compile(r"python -m training (.+)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_training_command_that_is_shown_parses(page: Path) -> None:
    for shown in TRAINING.findall(page.read_text()):
        line = re.split(r"\s+#|`|\)|;", shown)[0].strip()
        if line.startswith("--help"):
            continue
        name, *arguments = [word.strip('"') for word in line.split()]
        command = main.commands[name]
        if arguments:
            command.make_context(name, arguments, parent=click.Context(main, **main.context_settings))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_is_shown_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)\b(?= |`|$)", page.read_text(), re.MULTILINE)) - {"sure"} <= targets


def headings(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    shown = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", shown, re.MULTILINE)
    }


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not anchor or anchor in headings(there), f"{target}#{anchor}"


def test_every_decision_is_found_by_its_folder() -> None:
    page = ROOT / "docs" / "decisions.md"
    by_folder = re.findall(r"\]\(#([^)]+)\)", page.read_text().split("\n## ")[0])
    assert sorted(by_folder) == sorted(headings(page) - {"decisions"})


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_shell_command_can_be_read_by_bash(page: Path) -> None:
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        read = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
        assert not read.stderr, block


def test_the_house_in_the_readme_is_the_house_that_stands() -> None:
    drawn = (ROOT / "README.md").read_text().split("## The house")[1].split("```")[1]
    named = re.findall(r"^(\S+)  ", drawn, re.MULTILINE)
    assert {"handler.py", "serverless.yml", "Dockerfile", "model/", "serving/", "training/", "tests/"} <= set(named)
    for name in named:
        assert (ROOT / name).exists(), name


def test_every_option_is_explained() -> None:
    for name, command in main.commands.items():
        assert command.help, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name}"


def test_every_command_and_every_option_of_retrain_has_its_place_in_the_help() -> None:
    listed = [name for names in CONTENTS.values() for name in names]
    assert sorted(listed) == sorted(main.commands)
    assert not [name for name in listed if main.commands[name].get_short_help_str(limit=60).endswith("...")]
    options = {parameter.name for parameter in main.commands["retrain"].params if isinstance(parameter, click.Option)}
    assert {name for names in SECTIONS.values() for name in names} == options


def test_nothing_of_ours_names_a_machine() -> None:
    suffixes = {".py", ".md", ".yml", ".toml", ".js", ".json", ".html", ".css"}
    rooms = ("model", "cluster", "serving", "training", "ops", "bench", "docs", "deploy", "plugins")
    for path in (path for room in rooms for path in (ROOT / room).rglob("*") if path.suffix in suffixes):
        assert not re.search(r"/(home|root|Users)/\w", path.read_text()), name_of(path)
