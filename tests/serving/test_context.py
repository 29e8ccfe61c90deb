"""`tracker models dockerfile`: what it writes passes the linters, holds the model unchanged, and really serves it."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import tracker
from tracker import _io
from tracker.exceptions import AlreadyExistsError, ChangedModelError, InvalidValueError, ModelError, StorageError
from tracker.models import digests
from tracker.opening import open_model
from tracker.serving.context import base_python, model_name, write_context
from tracker.serving.kubernetes import check_image, manifests

from .conftest import split
from .processes import serving

KUBERNETES = ("1.31.0", kubernetes_validate.latest_version())
BIN = Path(sys.executable).parent


@pytest.fixture
def context(saved: Callable[..., Path], tmp_path: Path) -> Path:
    """The build context of the flowers' model, with manifests."""
    return write_context(str(saved()), tmp_path / "context", kubernetes=True).folder


def command_of(dockerfile: str) -> list[str]:
    """The words of the last CMD."""
    words: list[str] = json.loads(dockerfile.rpartition("\nCMD ")[2])
    return words


def hadolint(dockerfile: Path) -> list[dict[str, Any]]:
    """What the linter of Dockerfiles finds, its informational rules included."""
    result = subprocess.run(
        [str(BIN / "hadolint"), "--format", "json", "--no-color", str(dockerfile)], capture_output=True, check=False
    )
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_it_is_complete(context: Path) -> None:
    """The context has what the Dockerfile copies, and nothing else."""
    assert sorted(path.name for path in context.iterdir()) == sorted(
        ["Dockerfile", ".dockerignore", "requirements.txt", "model", "tracker", "deployment.yaml", "service.yaml"]
    )
    copied = re.findall(r"^COPY (\S+)", (context / "Dockerfile").read_text(), re.MULTILINE)
    assert copied == ["requirements.txt", "tracker", "model"]
    kept = {line[1:] for line in (context / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) <= kept


def test_hadolint_finds_nothing(context: Path) -> None:
    """The Dockerfile has no finding of any severity; the linter is awake, for it finds a bad line."""
    assert hadolint(context / "Dockerfile") == []
    bad = context / "Bad"
    bad.write_text((context / "Dockerfile").read_text().replace(":3.", ":latest # 3."))
    assert "DL3007" in {finding["code"] for finding in hadolint(bad)}


def test_hadolint_finds_nothing_with_system_packages(saved: Callable[..., Path], tmp_path: Path) -> None:
    """LightGBM needs a library that the base image lacks; that line passes the linter too."""
    folder = saved(extra_pip_requirements=["lightgbm==4.6.0"])
    written = write_context(str(folder), tmp_path / "context").folder
    assert "libgomp1" in (written / "Dockerfile").read_text()
    assert hadolint(written / "Dockerfile") == []


def test_the_image_has_few_rights(context: Path) -> None:
    """A pinned base, a user without a name or rights, a health check, a command without a shell."""
    text = (context / "Dockerfile").read_text()
    assert f"\nFROM python:{sys.version_info.major}.{sys.version_info.minor}-slim\n" in text
    assert "\nUSER 10001:10001\n" in text
    assert text.index("\nUSER ") < text.index("\nCMD ")
    assert "--no-cache-dir" in text and "PYTHONDONTWRITEBYTECODE=1" in text
    assert re.search(r'^HEALTHCHECK .*\\\n +CMD \["python"', text, re.MULTILINE)
    assert command_of(text)[:5] == ["python", "-m", "tracker.cli", "models", "serve"]


def test_the_model_is_pinned(context: Path, saved: Callable[..., Path], tmp_path: Path) -> None:
    """The copy has the digest that the command trusts, and a changed copy does not load."""
    digest = digests.folder_digest(context / "model")
    command = command_of((context / "Dockerfile").read_text())
    assert command[command.index("--trust") + 1] == digest == digests.folder_digest(tmp_path / "flowers-cloudpickle")
    with (context / "model" / "model.pkl").open("ab") as file:
        file.write(b".")
    with pytest.raises(ChangedModelError):
        open_model(context / "model", trust=digest)


def test_all_requirements_are_pinned(context: Path) -> None:
    """Each line names one version; the server's packages are those that are installed here."""
    lines = [line for line in (context / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+", line)] == []
    named = {line.partition("==")[0] for line in lines}
    assert named >= {
        "scikit-learn",
        "cloudpickle",
        "starlette",
        "uvicorn",
        "msgspec",
        "click",
        "pyyaml",
        "rich",
        "pandas",
    }
    assert len(named) == len(lines)


def test_the_source_is_ours(context: Path) -> None:
    """tracker/ in the context is the package itself, without caches."""
    package = Path(tracker.__file__).parent
    ours = {path.relative_to(package): path.read_bytes() for path in package.rglob("*.py")}
    copied = {path.relative_to(context / "tracker"): path.read_bytes() for path in (context / "tracker").rglob("*.py")}
    assert copied == ours
    assert not list(context.rglob("__pycache__"))


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("name", ["deployment.yaml", "service.yaml"])
def test_manifests_fit_the_schema(context: Path, name: str, version: str) -> None:
    """Each manifest passes the strict schema of old and new Kubernetes, where an unknown field is an error."""
    manifest = yaml.safe_load((context / name).read_text())
    kubernetes_validate.validate(manifest, version, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**manifest, "spek": {}}, version, strict=True)


def test_pods_meet_the_restricted_standard(context: Path) -> None:
    """What Kubernetes' restricted Pod Security Standard demands, and a root file system that nobody can write."""
    pod = yaml.safe_load((context / "deployment.yaml").read_text())["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {"name": "tmp", "emptyDir": {}} in pod["volumes"]
    assert {probe: container[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")} == {
        "readinessProbe": "/ping",
        "livenessProbe": "/ping",
    }
    assert set(container["resources"]) == {"requests", "limits"}


def test_service_and_deployment_find_each_other(context: Path) -> None:
    """The service chooses the pods, and its port is theirs and the server's."""
    service, deployment = (yaml.safe_load((context / f"{name}.yaml").read_text()) for name in ("service", "deployment"))
    template = deployment["spec"]["template"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    (port,) = template["spec"]["containers"][0]["ports"]
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    command = command_of((context / "Dockerfile").read_text())
    assert command[command.index("--port") + 1] == str(port["containerPort"])


def test_large_models_ask_for_more_memory() -> None:
    """Memory grows with the model, and the limit is above what is asked for."""

    def asked(size: int) -> tuple[str, str]:
        manifest = yaml.safe_load(manifests("m", "m:1", "sha256:0", size)["deployment.yaml"])
        resources = manifest["spec"]["template"]["spec"]["containers"][0]["resources"]
        return resources["requests"]["memory"], resources["limits"]["memory"]

    assert asked(10_000) == ("512Mi", "1024Mi")
    assert asked(1 << 30) == ("2560Mi", "5120Mi")


@pytest.mark.parametrize("image", ["iris:1", "registry.example:5000/team/iris:2026-03-01", f"iris@sha256:{'0' * 64}"])
def test_images_with_a_version_are_taken(image: str) -> None:
    """A tag or a digest is enough."""
    assert check_image(image) == image


@pytest.mark.parametrize(
    "image", ["iris", "iris:latest", "Iris:1", "iris:1 --privileged", "", "iris\n:1", "a" * 40 + ":"]
)
def test_images_without_a_version_are_refused(image: str) -> None:
    """Neither no tag nor latest, nor what is no name at all."""
    with pytest.raises(InvalidValueError):
        check_image(image)


def test_the_image_is_named_in_both(saved: Callable[..., Path], tmp_path: Path) -> None:
    """`--image` goes into the deployment and into the comment that says how to build."""
    written = write_context(str(saved()), tmp_path / "context", kubernetes=True, image="team/flowers:7").folder
    assert "docker build -t team/flowers:7 ." in (written / "Dockerfile").read_text()
    assert "image: team/flowers:7" in (written / "deployment.yaml").read_text()


@pytest.mark.parametrize(
    ("saved_with", "wanted", "image"),
    [("3.11.7", None, "3.11"), ("3.12.0", "3.13", "3.13"), ("3.9.18", "3.11.4", "3.11"), ("", "3.14", "3.14")],
)
def test_the_python_of_the_image(saved_with: str, wanted: str | None, image: str) -> None:
    """It is the one that saved the model unless another is wanted."""
    assert base_python(saved_with, wanted) == image


@pytest.mark.parametrize(("saved_with", "wanted"), [("3.9.18", None), ("", None), ("3.11", "three"), ("3.11", "3.10")])
def test_a_python_that_cannot_be_is_refused(saved_with: str, wanted: str | None) -> None:
    """An old one, none, and what is no version: each error names the option."""
    with pytest.raises(InvalidValueError, match="--python-version"):
        base_python(saved_with, wanted)


def test_names_are_safe(saved: Callable[..., Path]) -> None:
    """A registered name becomes a name that Kubernetes takes."""
    opened = open_model(saved())
    for uri in ("models:/Iris Flöwers!/3", "models:/1st/latest", f"models:/{'x' * 200}@champion", "models:/…/1"):
        assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", model_name(uri, opened))
    assert model_name("models:/Iris Flöwers!/3", opened) == "iris-flowers"


@pytest.mark.parametrize("kind", ["cloudpickle", "skops"])
def test_an_untrusted_model_is_not_packed(saved: Callable[..., Path], tmp_path: Path, kind: str) -> None:
    """Pickles need trust, and safe formats too: their requirements are installed. Nothing is written."""
    folder = saved(kind)
    command = [sys.executable, "-m", "tracker.cli", "models", "dockerfile", str(folder), "-o", "out"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    digest = digests.folder_digest(folder)
    assert digest in result.stderr
    assert not (tmp_path / "out").exists()
    result = subprocess.run([*command, "--trust", digest], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert digests.folder_digest(tmp_path / "out" / "model") == digest


def test_nothing_is_overwritten(context: Path, saved: Callable[..., Path]) -> None:
    """A folder with something in it stays as it is."""
    with pytest.raises(AlreadyExistsError):
        write_context(str(context / "model"), context, trust=True)


def test_a_failed_writing_leaves_nothing(
    saved: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full before the last file leaves no half context."""

    def full(operation: str, path: str, data: bytes) -> bytes:
        if operation == "rename" and path.endswith("yaml_files.py"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return data

    folder = saved()
    monkeypatch.setattr(_io, "fault", full)
    with pytest.raises(StorageError, match="No space left"):
        write_context(str(folder), tmp_path / "deep" / "context", trust=True)
    assert list((tmp_path / "deep").iterdir()) == []


def test_mlflow_itself_is_left_out(saved: Callable[..., Path], tmp_path: Path) -> None:
    """A model that MLflow saved names mlflow; the image of a scikit-learn model does not install it, and says so."""
    folder = saved(extra_pip_requirements=["mlflow==3.1.0"])
    text = (write_context(str(folder), tmp_path / "context").folder / "requirements.txt").read_text()
    assert "# mlflow==3.1.0: tracker takes its place\n" in text
    assert not re.search(r"^mlflow", text, re.MULTILINE)


def test_the_pins_of_the_model_count(saved: Callable[..., Path], tmp_path: Path) -> None:
    """Where model and server need the same package, the model's version is installed, and pandas must go with it."""
    folder = saved(extra_pip_requirements=["PyYAML==6.0.1", "numpy==1.26.4"])
    lines = (write_context(str(folder), tmp_path / "context").folder / "requirements.txt").read_text().splitlines()
    assert "PyYAML==6.0.1" in lines and not any(line.startswith("pyyaml") for line in lines)
    assert "pandas>=2.2.2" in lines


def test_a_model_without_python_function_is_refused(saved: Callable[..., Path], tmp_path: Path) -> None:
    """The error names the flavors that there are."""
    folder = saved()
    mlmodel = yaml.safe_load((folder / "MLmodel").read_text())
    del mlmodel["flavors"]["python_function"]
    (folder / "MLmodel").write_text(yaml.safe_dump(mlmodel))
    digests.write_manifest(folder)
    with pytest.raises(ModelError, match=r"no python_function model.*sklearn"):
        write_context(str(folder), tmp_path / "context", trust=True)


def test_the_context_serves_the_model(context: Path, iris: Any, tmp_path: Path) -> None:
    """What the image would do, without a container: install the requirements, run the command, ask it."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, capture_output=True)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
    result = subprocess.run([*install, "requirements.txt"], cwd=context, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    _, *command = command_of((context / "Dockerfile").read_text())
    command[command.index("--host") + 1] = "127.0.0.1"
    command[command.index("--port") + 1] = "0"
    before = sorted(context.rglob("*"))
    data, _, model = iris
    with serving(command=[str(python), *command], folder=context, PYTHONDONTWRITEBYTECODE="1", PYTHONPATH="") as server:
        assert server.get("ping").status == 200
        assert server.predict(split(data)).json == {"predictions": model.predict(data).tolist()}
    program = "import tracker, importlib.util as util; print(tracker.__file__, util.find_spec('mkdocs'))"
    where = subprocess.run(
        [str(python), "-Bc", program], cwd=context, capture_output=True, text=True, check=True, env=bare()
    )
    assert where.stdout.split() == [str(context / "tracker" / "__init__.py"), "None"]
    assert sorted(context.rglob("*")) == before


def bare() -> dict[str, str]:
    """The environment without paths to other packages."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
