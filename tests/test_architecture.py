"""The rules of docs/architecture.md: imports go one way, the library stays light, files stay small."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import tracker

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tracker", "site_builder")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
UPWARD = {
    ("models", "opening"): "Model.load and get_model_info of tracker.models take any URI, as MLflow's do",
    ("index", "reader"): "the cache keeps the runs that the reader made",
    ("run", "session"): "a run that ends by itself leaves the stack of active runs",
}
"""Imports against the order, each lazy and with its reason."""
LARGEST_FILE = 400
LONGEST_FUNCTION = 60
LOGGING_NEEDS = {"tracker", "msgspec", "yaml", "typing_extensions"}
"""The last one is loaded by msgspec where it is installed."""
NAMESPACES = {"www.w3.org", "vega.github.io"}
"""Hosts in identifiers that nobody requests: XML namespaces and the name of the Vega-Lite schema."""


@dataclass(frozen=True)
class Import:
    """One imported module, and where the statement stands."""

    importer: Path
    target: str
    line: int
    lazy: bool
    """Inside a function or for type checkers only, so it does not happen with the import of its module."""


def imports_of(path: Path) -> Iterator[Import]:
    """Every import of a file, those inside functions too."""

    def visit(node: ast.AST, lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            for target in targets_of(child, path):
                yield Import(path, target, child.lineno, lazy)
            yield from visit(child, lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.If))

    yield from visit(ast.parse(path.read_text(encoding="utf-8")), False)


def targets_of(node: ast.AST, path: Path) -> list[str]:
    """The modules that a statement imports, spelt from the package on; `from a import b` may mean module a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    package = ".".join(path.relative_to(ROOT).parts[: -node.level]) if node.level else ""
    base = ".".join(part for part in (package, node.module) if part)
    return [f"{base}.{alias.name}" for alias in node.names]


IMPORTS = [found for path in SOURCES for found in imports_of(path)]


def layers(package: str) -> dict[str, int]:
    """Modules of a package by their line in the tree of docs/architecture.md; each may import those above it."""
    tree = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[3]
    block = re.search(rf"^{package}/.*\n((?:  .*\n)+)", tree, re.MULTILINE)
    assert block, f"docs/architecture.md has no tree of {package}/"
    found = {}
    for number, line in enumerate(block[1].splitlines()):
        for name in re.findall(r"(\w+)\.py\b", line) + re.findall(r"^  (\w+)/", line):
            found.setdefault(name, number)
    return found


def module_of(path: Path) -> str:
    """Top-level module of its package that a file belongs to."""
    return path.relative_to(ROOT).parts[1].removesuffix(".py")


def where(found: Import) -> str:
    """File and line for a message."""
    return f"{found.importer.relative_to(ROOT)}:{found.line} imports {found.target}"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_stands_in_the_tree(package: str) -> None:
    """The tree in docs/architecture.md names the modules that exist, and no others."""
    exist = {module_of(path) for path in SOURCES if path.is_relative_to(ROOT / package)} - {"__init__"}
    assert exist == set(layers(package)) - {"__init__"}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package: str) -> None:
    """A module imports only what stands in the same line of the tree or above it."""
    order = layers(package)
    wrong = []
    for found in IMPORTS:
        parts = found.target.split(".")
        if parts[0] != package or not found.importer.is_relative_to(ROOT / package) or len(parts) < 2:
            continue
        importer, target = module_of(found.importer), parts[1]
        upward = importer != "__init__" and target in order and order[importer] < order[target]
        if upward and not (found.lazy and (importer, target) in UPWARD):
            wrong.append(where(found))
    assert wrong == []


@pytest.mark.parametrize(
    ("library", "home"), [("mkdocs", "engine.py"), ("material", "engine.py"), ("altair", "charts.py")]
)
def test_each_big_library_has_one_home(library: str, home: str) -> None:
    """Exactly one module imports mkdocs and one imports altair, so each can be replaced in one place."""
    users = {str(found.importer.relative_to(ROOT)) for found in IMPORTS if found.target.split(".")[0] == library}
    assert users <= {f"site_builder/{home}"}
    assert users or library != "mkdocs"


def test_mlflow_is_imported_by_its_plugin_only() -> None:
    """tracker needs no MLflow: only what MLflow itself loads imports it."""
    users = {found.importer.parent for found in IMPORTS if found.target.split(".")[0] == "mlflow"}
    assert users == {ROOT / "tracker" / "mlflow_plugin"}


def test_the_library_does_not_know_the_builder() -> None:
    """Only the command line and the demo reach from tracker into site_builder, and only when asked to build."""
    users = [
        found
        for found in IMPORTS
        if found.target.startswith("site_builder") and "site_builder" not in found.importer.parts
    ]
    assert [where(found) for found in users if module_of(found.importer) not in ("cli", "demo") or not found.lazy] == []


def test_the_builder_cannot_log() -> None:
    """site_builder reads stores; nothing in it can write one."""
    writing = {"writer", "run", "fluent", "endings", "capture", "store"}
    users = [
        found for found in IMPORTS if "site_builder" in found.importer.parts and found.target.split(".")[0] == "tracker"
    ]
    assert [where(found) for found in users if writing & set(found.target.split(".")[1:2])] == []


def third_party_modules(program: str) -> set[str]:
    """What a fresh interpreter loads for a program, beyond the standard library and its own start."""
    report = (
        "import sys; before = set(sys.modules)\n{}\nimport json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    answer = subprocess.run([sys.executable, "-c", report.format(program)], capture_output=True, text=True, check=True)
    loaded = json.loads(answer.stdout.splitlines()[-1])
    return {name.split(".")[0] for name in loaded if "cython" not in name} - set(sys.stdlib_module_names)


def test_importing_is_light() -> None:
    """`import tracker` loads nothing but tracker itself, and of that only what defines the public names."""
    assert third_party_modules("import tracker") <= {"tracker", "msgspec"}


def test_logging_is_light(tmp_path: Path) -> None:
    """A script that logs loads the small libraries that write the files, never pandas, numpy, click or mkdocs."""
    program = f"""
import tracker
tracker.set_tracking_uri({str(tmp_path / "runs")!r})
with tracker.start_run():
    tracker.log_params({{"lr": 0.1}})
    tracker.log_metric("loss", 0.5, step=1)
    tracker.set_tag("kind", "test")
"""
    assert third_party_modules(program) <= LOGGING_NEEDS


def test_public_names_are_one_list() -> None:
    """`tracker.__all__` is what can be imported: every name works, and nothing of ours is beside it."""
    assert sorted(set(tracker.__all__)) == tracker.__all__
    for name in tracker.__all__:
        assert getattr(tracker, name).__module__.startswith("tracker.")
    ours = {name for name, value in vars(tracker).items() if getattr(value, "__module__", "").startswith("tracker.")}
    assert ours <= set(tracker.__all__)
    with pytest.raises(AttributeError, match="log_metric"):
        _ = tracker.log_metrik


@pytest.mark.parametrize(
    "path", [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda path: str(path.relative_to(ROOT))
)
def test_files_and_functions_stay_small(path: Path) -> None:
    """A file has at most 400 lines and a function at most 60."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LARGEST_FILE
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION]
    assert long == []


@pytest.mark.parametrize("pattern", ["theme/src/*.ts", "theme/src/**/*.ts", "theme/styles/*.css", "theme/pages/*.html"])
def test_front_end_files_stay_small(pattern: str) -> None:
    """So do TypeScript modules, style sheets and page templates."""
    files = sorted(ROOT.glob(pattern))
    assert [str(path.relative_to(ROOT)) for path in files if path.read_text("utf-8").count("\n") > LARGEST_FILE] == []


def tracked(*folders: str) -> list[Path]:
    """Files under version control, deleted ones left out."""
    answer = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in answer.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_place_on_this_machine() -> None:
    """Neither the checkout, nor the interpreter, nor somebody's home folder appears in a committed file."""
    places = [
        str(place) for place in (ROOT, Path(sys.prefix), Path(sys.base_prefix)) if len(place.parts) > 3 or place == ROOT
    ]
    texts = {path: path.read_bytes() for path in tracked()}
    assert [(str(path), place) for path, text in texts.items() for place in places if place.encode() in text] == []


def test_sources_name_no_other_host() -> None:
    """Pages load nothing from elsewhere: other hosts appear only in links that a reader may follow."""
    allowed = NAMESPACES | {
        "127.0.0.1",
        "localhost",
        "github.com",
        "gitlab.com",
        "codeberg.org",
        "bitbucket.org",
        "host",
    }
    sources = [
        path
        for path in tracked(*PACKAGES, "theme")
        if path.suffix in {".py", ".html", ".ts", ".css"} and path.parent.name != "assets"
    ]
    found = {
        (str(path.relative_to(ROOT)), host)
        for path in sources
        for host in re.findall(r"(?:https?:)?//([a-z0-9-]+(?:\.[a-z0-9-]+)+)", path.read_text("utf-8"))
    }
    assert {(path, host) for path, host in found if host not in allowed} == set()
