"""The packages that a model needs, and the files that say so."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import yaml

from tracker.exceptions import InvalidValueError, NotFoundError
from tracker.models import distributions
from tracker.models.environment import environment_files, python_version
from tracker.models.requirements import modules_of, requirements_of


def pin(package: str) -> str:
    """The line for an installed package."""
    return f"{package}=={importlib.metadata.version(package)}"


def test_modules_become_pinned_packages() -> None:
    """Packages come by the names that pip knows, sorted, those of the standard library left out."""
    assert requirements_of({"sklearn.svm", "numpy", "os", "yaml", "__main__", "numpy.linalg"}) == [
        pin("numpy"), pin("pyyaml"), pin("scikit-learn")
    ]  # fmt: skip


def test_what_cannot_be_installed_is_left_out() -> None:
    """People's own modules and packages from a checkout are not pinned: an index has them not, or somebody else's."""
    direct = importlib.metadata.distribution("tracker").read_text("direct_url.json")
    ours = [] if direct else [pin("tracker")]
    assert requirements_of({"numpy", "my_own_helpers", "tracker"}) == sorted([pin("numpy"), *ours])


def test_local_versions_are_pinned_as_an_index_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """`2.14.1+cpu` is pinned as 2.14.1."""
    monkeypatch.setattr(distributions, "installed_packages", lambda: {"torch": "2.14.1+cpu"})
    assert requirements_of({"torch"}) == ["torch==2.14.1"]


def test_a_package_of_an_unknown_name_is_found_by_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module whose package is called otherwise is found through the metadata of what is installed."""
    place = tmp_path / "site-packages"
    (place / "oddly").mkdir(parents=True)
    (place / "oddly" / "__init__.py").write_text("")
    info = place / "quite_different-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: quite-different\nVersion: 1.5\n")
    (info / "RECORD").write_text("oddly/__init__.py,,\n")
    (info / "top_level.txt").write_text("oddly\n")
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setattr(distributions, "installed_packages", lambda: {"quite-different": "1.5"})
    distributions._all_distributions.cache_clear()
    assert requirements_of({"oddly"}) == ["quite-different==1.5"]
    distributions._all_distributions.cache_clear()


def test_an_estimator_needs_what_its_pickle_names() -> None:
    """The classes of the object graph say which modules a model needs."""
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
    assert modules_of(model) == modules_of(model, cloudpickle.dumps(model)) == {"numpy", "sklearn"}


def test_functions_need_what_they_import() -> None:
    """Modules that a function refers to or imports when it is called count, in inner functions too."""
    import numpy as np

    class Model:
        """Carried by value, as what a script defines."""

        def predict(self, data: Any) -> Any:
            """Uses three packages."""
            import pandas.api.types as kinds

            def later() -> Any:
                from scipy import stats

                return stats

            return np.asarray(data), kinds, later()

    Model.__module__ = "__main__"
    assert {"numpy", "pandas", "scipy"} <= modules_of(Model())


def test_own_modules_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What people's own modules import, also those below them and inside functions, is needed as well."""
    package = tmp_path / "own_helpers"
    package.mkdir()
    (package / "__init__.py").write_text("from own_helpers.deep import Thing\n")
    (package / "deep.py").write_text(
        "import numpy as np\nclass Thing:\n    def use(self):\n        import yaml, own_other\n        return yaml\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import own_helpers  # type: ignore[import-not-found]

    try:
        assert {"own_helpers", "own_other", "numpy", "yaml"} <= modules_of(own_helpers.Thing())
        assert requirements_of({"own_helpers"}) == []
    finally:
        for name in [key for key in sys.modules if key.startswith("own_helpers")]:
            del sys.modules[name]


def test_what_cannot_be_pickled_is_judged_by_its_class() -> None:
    """An object that no pickle can hold still says where its class is from."""
    import threading

    from sklearn.base import BaseEstimator

    model = BaseEstimator()
    model.lock = threading.Lock()
    assert modules_of(model) == {"sklearn"}


def test_the_slow_way_is_not_taken_for_packages_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of folders are enough for common packages: the metadata of all of them are not read."""
    from sklearn.ensemble import RandomForestClassifier

    def slow() -> dict[str, list[str]]:
        pytest.fail("all packages were asked")

    monkeypatch.setattr(distributions, "_all_distributions", slow)
    model = RandomForestClassifier(5).fit([[0.0], [1.0]] * 10, [0, 1] * 10)
    assert requirements_of(modules_of(model)) == [pin("numpy"), pin("scikit-learn")]


def test_files_have_the_form_of_mlflow() -> None:
    """requirements.txt, python_env.yaml and conda.yaml have the keys that MLflow writes and reads."""
    files = environment_files(["numpy==2.4.6", "scikit-learn==1.9.1"])
    assert files["requirements.txt"] == b"numpy==2.4.6\nscikit-learn==1.9.1\n"
    env = yaml.safe_load(files["python_env.yaml"])
    assert list(env) == ["python", "build_dependencies", "dependencies"]
    assert env["python"] == python_version() and env["dependencies"] == ["-r requirements.txt"]
    assert [line.partition("==")[0] for line in env["build_dependencies"]] == ["pip", "setuptools", "wheel"]
    conda = yaml.safe_load(files["conda.yaml"])
    assert list(conda) == ["channels", "dependencies", "name"]
    assert conda["dependencies"][0] == f"python={python_version()}"
    assert conda["dependencies"][1].startswith("pip")
    assert conda["dependencies"][2] == {"pip": ["numpy==2.4.6", "scikit-learn==1.9.1"]}


def test_given_requirements_take_the_place_of_inferred_ones() -> None:
    """A list is taken as it is, each line once."""
    files = environment_files(
        ["numpy==1"], pip_requirements=["pandas>=2", "torch==2 ; python_version > '3'", "pandas>=2"]
    )
    assert files["requirements.txt"] == b"pandas>=2\ntorch==2 ; python_version > '3'\n"


def test_extra_requirements_come_on_top() -> None:
    """A line about the same package replaces the inferred one, however it is spelt."""
    files = environment_files(["numpy==1", "scikit-learn==1.9"], extra_pip_requirements=["Scikit_Learn>=1.5", "shap"])
    assert files["requirements.txt"] == b"numpy==1\nScikit_Learn>=1.5\nshap\n"


def test_files_of_requirements_are_read(tmp_path: Path) -> None:
    """Files include others by `-r`, relative to themselves; constraints go into a file of their own."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "req.txt").write_text(
        "# ours\nnumpy==2.0  # pinned\n-r inner/more.txt\npandas \\\n  >=2\n\n-c cons.txt\n"
    )
    (tmp_path / "inner" / "more.txt").write_text("-r ../last.txt\nscipy\n")
    (tmp_path / "last.txt").write_text("shap[plots]==0.5.*,!=0.5.3\n")
    (tmp_path / "cons.txt").write_text("six<2\n")
    files = environment_files([], pip_requirements=tmp_path / "req.txt")
    lines = ["numpy==2.0", "shap[plots]==0.5.*,!=0.5.3", "scipy", "pandas   >=2", "-c constraints.txt"]
    assert files["requirements.txt"].decode().splitlines() == lines
    assert files["constraints.txt"] == b"six<2\n"
    assert yaml.safe_load(files["conda.yaml"])["dependencies"][2]["pip"] == lines
    assert files == environment_files([], pip_requirements=[f"-r {tmp_path / 'req.txt'}"])


def test_a_conda_environment_is_kept(tmp_path: Path) -> None:
    """Channels, name and other dependencies stay; its pip part is the requirements."""
    given = {"name": "own", "channels": ["x"], "dependencies": ["python=3.9", "gcc", {"pip": ["numpy==2"]}]}
    files = environment_files(["unused==1"], conda_env=given)
    assert yaml.safe_load(files["conda.yaml"]) == given
    assert files["requirements.txt"] == b"numpy==2\n"
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(given, sort_keys=False))
    assert environment_files([], conda_env=str(tmp_path / "env.yaml")) == files


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("./wheel.whl", "no requirement that can be installed elsewhere"),
        ("-e .", "code_paths="),
        ("a @ file:///x.whl", "no requirement"),
        ("numpy==", "no requirement"),
        ("numpy pandas", "no requirement"),
        ("--config-settings x", "no requirement"),
        ("x @ https://me:secret@host/x.whl", r"password or token .*://\*\*\*@host"),
        ("--index-url https://token@host/simple", "password or token"),
    ],
)
def test_lines_that_would_not_install_elsewhere_are_refused(line: str, message: str) -> None:
    """The message says what to do, and does not repeat a secret."""
    with pytest.raises(InvalidValueError, match=message) as caught:
        environment_files([], pip_requirements=[line])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "git+https://github.com/a/b@main",
        "git+ssh://git@host/a.git",
        "x @ https://host/x.whl",
        "--pre",
        "-i https://host",
    ],
)
def test_lines_for_indexes_and_repositories_are_kept(line: str) -> None:
    """What pip can install from anywhere is written as given."""
    assert environment_files([], pip_requirements=[line])["requirements.txt"].decode() == f"{line}\n"


def test_bad_arguments_are_explained(tmp_path: Path) -> None:
    """Two ways at once, a missing file, a loop and odd types each have their sentence."""
    with pytest.raises(InvalidValueError, match="pip_requirements and conda_env cannot be given together"):
        environment_files([], pip_requirements=[], conda_env={})
    with pytest.raises(NotFoundError, match=r"'numpy', which does not exist\. A single requirement goes into a list"):
        environment_files([], pip_requirements="numpy")
    (tmp_path / "loop.txt").write_text("-r loop.txt\n")
    with pytest.raises(InvalidValueError, match="without an end"):
        environment_files([], pip_requirements=tmp_path / "loop.txt")
    with pytest.raises(InvalidValueError, match="list of lines"):
        environment_files([], extra_pip_requirements=[1])  # type: ignore[list-item]
    for conda in ([], {"dependencies": "numpy"}, {"dependencies": [{"pip": "numpy"}]}):
        with pytest.raises(InvalidValueError, match="list of"):
            environment_files([], conda_env=conda)  # type: ignore[arg-type]
    (tmp_path / "bad.yaml").write_text("a: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(InvalidValueError, match="no YAML"):
        environment_files([], conda_env=tmp_path / "bad.yaml")
