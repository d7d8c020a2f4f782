import json
from pathlib import Path

import pytest

from model.errors import ModelCorrupt, ModelIncompatible
from model.manifest import MANIFEST, FileEntry, Manifest, describe_files, verify_files


def manifest(**changes) -> Manifest:
    fields = {
        "name": "flowers",
        "created": "2026-01-01T00:00:00+00:00",
        "labels": ("daisy", "løvetann", "тюльпан"),
        "preprocessing": "1",
        "backbone": {"name": "tiny"},
        "training": {},
        "metrics": {},
        "parity": {},
        "libraries": {},
        "git_commit": None,
        "files": {"saved_model.pb": FileEntry("0" * 64, 3)},
    }
    return Manifest(**fields | changes)


def test_a_manifest_reads_back_as_it_was_written() -> None:
    assert Manifest.loads(manifest().dumps(), "here") == manifest()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 1}', json.dumps({"schema": "x"})])
def test_a_damaged_manifest_is_refused_by_name(text: str) -> None:
    with pytest.raises(ModelCorrupt, match="store/flowers/3"):
        Manifest.loads(text, "store/flowers/3")


def test_a_manifest_of_a_newer_schema_asks_for_newer_code() -> None:
    with pytest.raises(ModelIncompatible, match="upgrade"):
        Manifest.loads(manifest(schema=2).dumps(), "here")


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", "a\\b"])
def test_a_file_path_that_leads_out_of_the_model_is_refused(path: str) -> None:
    with pytest.raises(ModelCorrupt, match="leads out"):
        Manifest.loads(manifest(files={path: FileEntry("0" * 64, 3)}).dumps(), "here")


def test_described_files_verify_until_one_is_changed_or_lost(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "variables" / "variables.index").write_bytes(b"index")
    (tmp_path / MANIFEST).write_text("not described: it cannot hold its own digest")
    described = manifest(files=describe_files(tmp_path))
    assert sorted(described.files) == ["saved_model.pb", "variables/variables.index"]
    verify_files(tmp_path, described, described.files)

    (tmp_path / "saved_model.pb").write_bytes(b"grapf")
    with pytest.raises(ModelCorrupt, match=r"saved_model\.pb is not the file"):
        verify_files(tmp_path, described, described.files)
    (tmp_path / "saved_model.pb").unlink()
    with pytest.raises(ModelCorrupt, match=r"saved_model\.pb is missing"):
        verify_files(tmp_path, described, described.files)
