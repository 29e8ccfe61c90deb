"""Which installed package a module is from, told fast: by names first, by asking all packages only when need be."""

from __future__ import annotations

import os
import re
import sys
from functools import cache

from tracker.installed import installed_packages

_OTHER_NAMES = {
    "Crypto": ("pycryptodome",),
    "IPython": ("ipython",),
    "OpenSSL": ("pyopenssl",),
    "PIL": ("pillow", "pillow-simd"),
    "attr": ("attrs",),
    "bs4": ("beautifulsoup4",),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "dateutil": ("python-dateutil",),
    "faiss": ("faiss-cpu", "faiss-gpu"),
    "fitz": ("pymupdf",),
    "imblearn": ("imbalanced-learn",),
    "jwt": ("pyjwt",),
    "mlflow": ("mlflow", "mlflow-skinny"),
    "mpl_toolkits": ("matplotlib",),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tensorflow-intel"),
    "tlz": ("toolz",),
    "umap": ("umap-learn",),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "yaml": ("pyyaml",),
}
"""Modules whose package is called otherwise; the usual one first."""
_SAME_NAME = frozenset(
    """
    catboost cloudpickle dask dill fastai flax jax joblib keras lightgbm matplotlib nltk numba numpy onnx optuna
    pandas plotly polars prophet pyarrow pydantic pytorch_lightning regex requests scipy seaborn
    sentence_transformers shap skl2onnx skops spacy statsmodels tokenizers torch torchaudio torchvision tqdm
    transformers xgboost
    """.split()
)
"""Modules that are called like their package, and may be named in advice when they are missing."""


def distribution_name(module: str) -> str | None:
    """The package to install for a top-level module; None for a module that nobody knows, which may be anything."""
    known = _OTHER_NAMES.get(module)
    if known:
        return known[0]
    return module.replace("_", "-") if module in _SAME_NAME else None


def installed_distribution(module: str) -> tuple[str, str] | None:
    """Package and version behind a top-level module of this interpreter; None when no package brought it."""
    packages = installed_packages()
    for name in (*_OTHER_NAMES.get(module, ()), _normal(module)):
        if name in packages:
            return name, packages[name]
    if not _from_site_packages(module):
        return None
    names = sorted(_all_distributions().get(module, ()), key=_normal)
    found = [(_normal(name), packages[_normal(name)]) for name in names if _normal(name) in packages]
    return found[0] if found else None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _from_site_packages(module: str) -> bool:
    """Whether the module lies where packages are installed; people's own modules do not."""
    place = module_file(module)
    return bool(place) and bool({"site-packages", "dist-packages"} & set(re.split(r"[\\/]", place)))


def module_file(module: str) -> str:
    """The file or folder of a top-level module; empty for one that is built in, or not found."""
    import importlib.util

    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return str(getattr(sys.modules.get(module), "__file__", None) or "")
    return spec.origin or next(iter(spec.submodule_search_locations or ()), "") or ""


@cache
def _all_distributions() -> dict[str, list[str]]:
    """Packages by top-level module: some hundred milliseconds."""
    from importlib.metadata import packages_distributions

    return {module: list(names) for module, names in packages_distributions().items()}


@cache
def is_pinnable(name: str, version: str) -> bool:
    """Whether an index can have this version: not one that was installed from a folder, a file or a repository."""
    for folder in sys.path:
        for spelt in (name.replace("-", "_"), name):
            info = os.path.join(folder, f"{spelt}-{version}.dist-info")  # noqa: PTH118
            if os.path.isdir(info):  # noqa: PTH112
                return not os.path.exists(os.path.join(info, "direct_url.json"))  # noqa: PTH110, PTH118
    return True
