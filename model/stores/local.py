"""A store in a local folder. Publishing copies beside the versions, then renames: a version appears whole or not at all."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from model.errors import ModelNotFound, StoreForbidden
from model.manifest import MANIFEST, Manifest, verify_files
from model.stores.base import ALIASES, VERSION, AliasFile, Progress, no_progress


class LocalStore:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = str(root)

    def versions(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for path in self.root.glob(f"*/*/{MANIFEST}"):
            version = path.relative_to(self.root).parts[1]
            if VERSION.fullmatch(version):
                found.setdefault(path.relative_to(self.root).parts[0], []).append(int(version))
        return {name: sorted(numbers) for name, numbers in sorted(found.items())}

    def read_manifest(self, name: str, version: int) -> Manifest:
        directory = self.root / name / str(version)
        try:
            return Manifest.loads((directory / MANIFEST).read_bytes(), str(directory))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ModelNotFound(f"{directory} is not a published model: it has no {MANIFEST}") from error
        except OSError as error:
            raise StoreForbidden(f"{directory} cannot be read ({error.strerror})") from error

    def pull(self, name: str, version: int, manifest: Manifest, paths: list[str], cache: Path | None) -> Path:
        directory = self.root / name / str(version)
        verify_files(directory, manifest, paths)
        return directory

    def publish(self, directory: Path, manifest: Manifest, progress: Progress = no_progress) -> int:
        verify_files(directory, manifest, manifest.files)
        folder = self.root / manifest.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # its name begins with a dot, so that it is taken for no version
            draft = Path(tempfile.mkdtemp(prefix=".publishing-", dir=folder))
        except OSError as error:
            raise StoreForbidden(f"{folder} cannot be written ({error.strerror}); name another store") from error
        try:
            for path, entry in manifest.files.items():
                (draft / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(directory / path, draft / path)
                progress(entry.size)
            (draft / MANIFEST).write_text(manifest.dumps(), encoding="utf-8")
            draft.chmod(0o755)  # mkdtemp's 0700 would hide the model from a server run by another user
            return self._claim(folder, draft)
        except OSError as error:
            raise StoreForbidden(
                f"{folder} cannot be written ({error.strerror}); make room, or name another store"
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)  # where it became a version, it is no more

    def _claim(self, folder: Path, draft: Path) -> int:
        version = max((int(p.name) for p in folder.iterdir() if VERSION.fullmatch(p.name)), default=0) + 1
        while True:
            try:
                draft.rename(folder / str(version))  # fails where that version exists: its directory is not empty
            except OSError:
                if not (folder / str(version)).exists():
                    raise
                version += 1
            else:
                return version

    def remove(self, name: str, version: int) -> None:
        directory = self.root / name / str(version)
        try:
            (directory / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(directory)
        except OSError as error:
            raise StoreForbidden(f"{directory} cannot be removed ({error.strerror})") from error

    def aliases(self, name: str) -> list[str]:
        return sorted(path.stem for path in (self.root / name / ALIASES).glob("*.json"))

    def read_alias(self, name: str, alias: str) -> AliasFile | None:
        try:
            content = (self.root / name / ALIASES / f"{alias}.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreForbidden(f"{self.uri}/{name}@{alias} cannot be read ({error.strerror})") from error
        return AliasFile(content, hashlib.sha256(content).hexdigest())

    def write_alias(self, name: str, alias: str, content: bytes, seen: AliasFile | None) -> bool:
        from filelock import FileLock  # only who promotes needs it

        folder = self.root / name / ALIASES
        try:
            folder.mkdir(exist_ok=True)
            with FileLock(folder / f".{alias}.lock"):
                if self.read_alias(name, alias) != seen:
                    return False
                draft = folder / f".{alias}.draft"
                draft.write_bytes(content)
                draft.replace(folder / f"{alias}.json")
        except OSError as error:
            raise StoreForbidden(f"{folder} cannot be written ({error.strerror})") from error
        return True
