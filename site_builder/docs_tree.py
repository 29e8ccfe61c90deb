"""A plain tree of documents that MkDocs and its drop-in fork build without a plugin: mkdocs.yml, docs/, overrides/.

The shells of the site are built from such a tree, and `--stage-only` writes one with every page in it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from site_builder.authored import Authored
from site_builder.theme import assets_folder, files_below, folder_digest, material_folder
from tracker import _io

_EXTENSIONS: list[object] = [
    "abbr",
    "admonition",
    "attr_list",
    "def_list",
    "footnotes",
    "tables",
    {"toc": {"permalink": True}},
    "pymdownx.details",
    "pymdownx.highlight",
    "pymdownx.superfences",
]
_NOT_PRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def write_tree(folder: Path, *, title: str, csp: str, authored: Authored, models: bool) -> None:
    """Settings, overrides, assets and authored pages; data pages are added as `page_source`."""
    docs = folder / "docs"
    docs.mkdir(parents=True)
    (folder / "mkdocs.yml").write_text(_settings(title, csp, authored, models=models), encoding="utf-8")
    copy_files(material_folder(), folder / "overrides")
    copy_files(assets_folder(), docs / "assets")
    for path, text in authored.pages:
        write_file(docs / path, text.encode())


def page_source(front_matter: Mapping[str, str], html: str) -> bytes:
    """A page as front matter and one block of HTML; the block is one line, so that Markdown leaves it alone."""
    front = "".join(f"{key}: {quoted(value)}\n" for key, value in front_matter.items())
    body = html.strip().replace("\r", "").replace("\n", "&#10;")
    return f"---\n{front}---\n{body}\n".encode(errors="replace")


def copy_files(source: Path, target: Path) -> None:
    """Copy the regular files below a folder."""
    for path in files_below(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with _io.open_regular(path) as reader, copy.open("wb") as writer:
            shutil.copyfileobj(reader, writer)


def write_file(path: Path, data: bytes) -> None:
    """Write a file and make the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def quoted(text: str) -> str:
    """A text as a double-quoted YAML scalar in one line, which is JSON but for characters that YAML cannot hold."""
    return _NOT_PRINTABLE.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return "\\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def _settings(title: str, csp: str, authored: Authored, *, models: bool) -> str:
    settings: dict[str, object] = {
        "site_name": title,
        "docs_dir": "docs",
        "site_dir": "site",
        "use_directory_urls": False,
        "theme": {
            "name": "material",
            "custom_dir": "overrides",
            "font": False,
            "language": "en",
        },
        "plugins": [],
        "markdown_extensions": _EXTENSIONS,
        "nav": authored.nav(),
        "extra": {
            "csp": csp,
            "tracker_version": folder_digest(assets_folder())[:8],
            "tracker_models": models,
            "tracker_tabs": [{"title": tab.title, "href": tab.href} for tab in authored.tabs()],
        },
    }
    return "".join(f"{key}: {_yaml(value)}\n" for key, value in settings.items())


def _yaml(value: object) -> str:
    """Flow style, which is JSON with texts that YAML can hold."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)}: {_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)
