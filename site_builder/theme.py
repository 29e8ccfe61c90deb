"""Where the theme lies, and what it is made of."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@cache
def theme_folder() -> Path:
    """`site_builder/theme` in an installed package, `theme` beside the package in a checkout."""
    installed = _HERE / "theme"
    return installed if installed.is_dir() else _HERE.parent / "theme"


def pages_folder() -> Path:
    """Our Jinja fragments, one for each kind of page."""
    return theme_folder() / "pages"


def material_folder() -> Path:
    """Overrides of the templates of Material."""
    return theme_folder() / "material"


def assets_folder() -> Path:
    """Scripts and styles that every page loads, with their licences."""
    return theme_folder() / "assets"


def files_below(folder: Path, pattern: str = "*") -> list[Path]:
    """Regular files below a folder in a fixed order; links and hidden files are passed over."""
    found = (
        path
        for path in folder.rglob(pattern)
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def folder_digest(folder: Path, pattern: str = "*") -> str:
    """A digest of the names and contents of all files below a folder."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files_below(folder, pattern):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


@cache
def code_digest() -> str:
    """A digest of the programs of this package."""
    return folder_digest(_HERE, "*.py")
