"""Everything that an image of a model is built from: a Dockerfile, the verified model, tracker, requirements."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from tracker import _io, codec, layout, names, store
from tracker.exceptions import AlreadyExistsError, InvalidValueError, UntrustedModelError
from tracker.models.mlmodel import PYFUNC
from tracker.opening import OpenedModel, Trust, open_model
from tracker.serving.kubernetes import PORT, USER, check_image, manifests
from tracker.serving.requirements import image_requirements, model_requirements, package_of

OLDEST_PYTHON = (3, 11)
"""The first one that tracker runs on."""
LARGEST_NAME = 50
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)?")
_SYSTEM = {"lightgbm": "libgomp1"}
"""Packages of Debian that a package of Python needs and does not bring along."""
_SHOWN = 12


class Context(Struct, frozen=True):
    """What was written."""

    folder: Path
    image: str
    """Name and tag that the image is to have."""


def write_context(
    uri: str,
    folder: Path,
    *,
    python_version: str | None = None,
    kubernetes: bool = False,
    image: str | None = None,
    trust: Trust = False,
) -> Context:
    """Write a build context for a model into a folder that is missing or empty; it appears whole.

    Raises AlreadyExistsError when something is there, UntrustedModelError for a model from outside the store without
    `trust`, InvalidValueError for a version of Python or a name of an image that cannot be, and what `open_model`
    raises.
    """
    opened = open_model(uri, trust=trust)
    opened.flavor(PYFUNC)
    _require_trust(opened)
    name = model_name(uri, opened)
    image = check_image(image or f"{name}:{opened.manifest.digest.removeprefix('sha256:')[:12]}")
    files = _files(opened, image, python_version)
    if kubernetes:
        size = sum(entry.bytes for entry in opened.manifest.files.values())
        files.update(manifests(name, image, opened.manifest.digest, size))
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyExistsError(f"{folder} is there already. Name another folder, or remove this one.")
    with _io.explained("write a build context to", folder):
        _io.make_folder(folder.parent, inside=folder.parent)
        with contextlib.suppress(FileNotFoundError):
            folder.rmdir()
        with store.built_aside(folder, durable=False) as aside:
            for path, data in [*files.items(), *_model_files(opened), *_own_files()]:
                _io.make_folder((aside / path).parent, inside=folder.parent)
                _io.replace_file(aside / path, data, durable=False)
    return Context(folder, image)


def model_name(uri: str, opened: OpenedModel) -> str:
    """A name for image and deployment: letters, digits and hyphens out of the model's own name."""
    registered = re.fullmatch(r"models:/+([^/@]+)(?:[/@].*)?", uri)
    word = registered[1] if registered else opened.model.artifact_path.rpartition("/")[2] or opened.folder.name
    slug = names.slug_of(word, "model")[:LARGEST_NAME].strip("-")
    return slug if slug[0].isalpha() else f"model-{slug}"


def base_python(saved_with: str, wanted: str | None) -> str:
    """`3.11` for the base image: what is wanted, else what saved the model; InvalidValueError for what cannot be."""
    text = wanted or saved_with
    found = _VERSION.fullmatch(text)
    if not found:
        told = f"{text!r:.40} is no version of Python." if text else "The model does not say which Python saved it."
        raise InvalidValueError(f"{told} Say which one the image is to have: --python-version 3.12")
    if (int(found[1]), int(found[2])) < OLDEST_PYTHON:
        raise InvalidValueError(
            f"The model was saved with Python {saved_with or text}, and tracker runs on 3.11 and later. Try "
            "--python-version 3.11; if its requirements do not install there, save the model anew."
        )
    return f"{found[1]}.{found[2]}"


def _require_trust(opened: OpenedModel) -> None:
    """Building an image installs what the model's requirements name, which can run code even for a safe format."""
    if not opened.trusted and opened.format.safe:
        lines = model_requirements(opened)
        raise UntrustedModelError(
            f"{opened.uri} lies outside of the store, and building an image of it installs what its requirements name: "
            f"{', '.join(lines[:_SHOWN]) or 'nothing'}. Look at it with `tracker models inspect`; then say --trust "
            f"yes, or pin it with --trust {opened.manifest.digest}."
        )
    opened.require_trust()


def _files(opened: OpenedModel, image: str, python_version: str | None) -> dict[str, bytes]:
    saved_with = str(opened.flavor(PYFUNC).get("python_version") or "")
    lines = image_requirements(opened)
    python = base_python(saved_with, python_version)
    files = {
        "Dockerfile": _dockerfile(opened, image, python, lines).encode(),
        ".dockerignore": _IGNORE.encode(),
        "requirements.txt": "".join(f"{line}\n" for line in lines).encode(),
    }
    if opened.has("constraints.txt"):
        files["constraints.txt"] = opened.read("constraints.txt")
    return files


_IGNORE = """\
*
!requirements.txt
!constraints.txt
!tracker
!model
**/__pycache__
"""

_DOCKERFILE = """\
# Serves {what} over http.
#
#   docker build -t {image} .
#   docker run --rm --read-only --tmpfs /tmp --cap-drop ALL -p 127.0.0.1:{port}:{port} {image}
#
# To pin the base image to its very bytes, add its digest to the next line, as this prints it:
#   docker buildx imagetools inspect python:{python}-slim
FROM python:{python}-slim
{system}
ENV PYTHONDONTWRITEBYTECODE=1 \\
    PYTHONUNBUFFERED=1 \\
    HOME=/tmp \\
    TRACKER_CACHE=/tmp/tracker

WORKDIR /srv
COPY {listed} ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --requirement requirements.txt
COPY tracker ./tracker
COPY model ./model

USER {user}:{user}
EXPOSE {port}
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \\
    CMD ["python", "-c", "import urllib.request as http; http.urlopen('http://127.0.0.1:{port}/ping', timeout=4)"]
CMD {command}
"""
_APT = """
# the version is Debian's newest for this base image; older ones are taken from its archive
# hadolint ignore=DL3008
RUN apt-get update \\
    && apt-get install --yes --no-install-recommends {packages} \\
    && rm -rf /var/lib/apt/lists/*
"""


def _dockerfile(opened: OpenedModel, image: str, python: str, lines: list[str]) -> str:
    digest = opened.manifest.digest
    command = ["python", "-m", "tracker.cli", "models", "serve", "./model"]
    command += ["--host", "0.0.0.0", "--port", str(PORT), "--trust", digest]
    system = sorted({_SYSTEM[package] for line in lines if (package := package_of(line)) in _SYSTEM})
    flavors = ", ".join(opened.model.own_flavors) or PYFUNC
    return _DOCKERFILE.format(
        what=f"a model ({names.slug_of(flavors, 'model')}, {digest})",
        image=image,
        port=PORT,
        user=USER,
        python=python,
        system=_APT.format(packages=" ".join(system)) if system else "",
        listed="requirements.txt constraints.txt" if opened.has("constraints.txt") else "requirements.txt",
        command=json.dumps(command),
    )


def _model_files(opened: OpenedModel) -> Iterator[tuple[str, bytes]]:
    """The files of the model, each checked as it is read, and their manifest."""
    for path in opened.manifest.files:
        yield f"model/{path}", opened.read(path)
    yield f"model/{layout.MANIFEST_FILE}", codec.json_file(opened.manifest)


def _own_files() -> Iterator[tuple[str, bytes]]:
    """The source of tracker, as it is installed here, with its licence."""
    package = Path(__file__).resolve().parents[1]
    for source in sorted(package.rglob("*.py")):
        yield f"tracker/{source.relative_to(package).as_posix()}", source.read_bytes()
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        licence = importlib.metadata.distribution("tracker").read_text("licenses/LICENSE")
        if licence:
            yield "tracker/LICENSE", licence.encode()
