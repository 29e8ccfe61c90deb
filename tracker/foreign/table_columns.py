"""What the columns of a table of runs mean: as the user says, else as their names say."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct, structs

from tracker.exceptions import InvalidValueError, did_you_mean

ColumnMap = Mapping[str, str | Sequence[str]]
"""Columns by role: `{"run": "trial", "metrics": ["loss", "acc"]}`."""
SINGLE = ("run", "name", "experiment", "step", "time", "status", "start", "end", "parent", "metric", "value")
"""Roles of one column each."""
LISTS = ("params", "tags", "metrics", "ignore")
"""Roles of any number of columns."""
_DEFAULTS = {
    "run": ("run_id", "run", "trial_id", "trial", "run_name"),
    "experiment": ("experiment", "experiment_name"),
    "step": (
        "step",
        "global_step",
        "trainer_global_step",
        "epoch",
        "iteration",
        "iter",
        "training_iteration",
        "n_iter",
        "total_timesteps",
        "time_total_timesteps",
        "timesteps",
    ),
    "time": ("time", "timestamp", "wall_time", "datetime", "date", "created_at"),
    "status": ("status", "state"),
    "start": ("start_time", "datetime_start"),
    "end": ("end_time", "datetime_complete"),
    "parent": ("parent", "parent_run_id", "tags_mlflow_parentrunid"),
    "name": ("run_name", "tags_mlflow_runname", "name"),
}
_METRICS, _VALUES = ("metric", "metric_name", "metric_key"), ("value", "metric_value")
_PREFIXES = {
    "params.": "params",
    "params_": "params",
    "param_": "params",
    "config.": "params",
    "config/": "params",
    "hparams.": "params",
    "metrics.": "metrics",
    "tags.": "tags",
}
"""Beginnings of names in tables that MLflow, Optuna, scikit-learn and Ray write."""
_NAME = "name"
_USUAL_PARAMS = frozenset(
    "lr learning_rate seed batch batch_size optimizer dropout weight_decay momentum layers hidden epochs max_epochs "
    "n_estimators max_depth".split()
)
"""What tables of runs call params; the logs of runs that have such columns have steps too."""
_DERIVED = ("duration", "duration_seconds")
"""What start and end say already."""
_NOT_KEPT = ("artifact_uri", "tags.mlflow.user", "tags.mlflow.runName")
"""A place on a machine, a person, and what is kept as the name."""
_EXPERIMENT_ID = "experiment_id"
_SUMMARY = re.compile(r"[a-z]+(_step)?\(metrics\..+\)")
"""How the columns are called that `tracker export --summary` works out."""
INDEX = "Unnamed: 0"
"""What a first column without a name is called: pandas writes the index of a table there."""


class Columns(Struct, frozen=True):
    """Columns by role; None or nothing where there is none."""

    run: str | None = None
    name: str | None = None
    """What the run is called, where `run` is its id."""
    experiment: str | None = None
    step: str | None = None
    time: str | None = None
    status: str | None = None
    start: str | None = None
    end: str | None = None
    parent: str | None = None
    """The id of the run that a run is nested in."""
    metric: str | None = None
    """With `value`: the metric that a row has a point of."""
    value: str | None = None
    params: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    chosen: bool = False
    """Whether the user named the metrics: other numbers are none then."""
    single: bool = False
    """Whether each row is a run of its own, even where two have one name."""

    def named(self) -> list[str]:
        """All columns that have a role."""
        single = [column for role in SINGLE if (column := getattr(self, role)) is not None]
        return [*single, *(column for role in LISTS for column in getattr(self, role))]

    @property
    def has_points(self) -> bool:
        """Whether something tells the rows of a run apart."""
        return bool(self.step not in (None, INDEX) or self.time or self.metric)

    @property
    def describes_runs(self) -> bool:
        """Whether the names of the columns are those of a table with a row for every run."""
        return all(any(without_prefix(name) != name for name in names) for names in (self.params, self.metrics))

    @property
    def rows_are_runs(self) -> bool:
        """Whether each row is a run without a name: it has params, and nothing that tells rows of a run apart."""
        return bool(self.params) and not (self.run or self.has_points)


def given_columns(given: ColumnMap) -> Columns:
    """The roles that a user gave; InvalidValueError for what is no role, and for a column in two of them."""
    found: dict[str, str | tuple[str, ...]] = {}
    for role, value in given.items():
        listed = (value,) if isinstance(value, str) else tuple(value)
        if role not in (*SINGLE, *LISTS):
            hint, known = did_you_mean(role, (*SINGLE, *LISTS)), ", ".join((*SINGLE, *LISTS))
            raise InvalidValueError(f"{role!r:.60} is no role of a column.{hint} Roles: {known}.")
        if role in SINGLE and len(listed) != 1:
            raise InvalidValueError(f"The role {role!r} takes one column, but it got {len(listed)}: {listed!r:.100}.")
        found[role] = listed[0] if role in SINGLE else listed
    columns = Columns(**found, chosen="metrics" in found)  # type: ignore[arg-type]
    names = columns.named()
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidValueError(f"The column {twice!r:.60} is given two roles. A column has one.")
    if (columns.metric is None) != (columns.value is None):
        raise InvalidValueError("The roles 'metric' and 'value' belong together: a column of names, one of values.")
    return columns


def parse_map(texts: Iterable[str]) -> dict[str, list[str]]:
    """The roles of a command line: `role=column,column`, each role as often as one likes."""
    found: dict[str, list[str]] = {}
    for text in texts:
        role, equals, names = text.partition("=")
        if not equals or not names:
            raise InvalidValueError(f"{text!r:.60} is no mapping. Write role=column, such as step=epoch.")
        found.setdefault(role.strip(), []).extend(name.strip() for name in names.split(","))
    return found


def check_there(given: Columns, there: Collection[str], where: str) -> None:
    """InvalidValueError for a column that the user named and no table has."""
    for name in given.named():
        if name not in there:
            shown = ", ".join(sorted(there)[:30]) or "none"
            raise InvalidValueError(f"{where} has no column {name!r:.60}.{did_you_mean(name, there)} Columns: {shown}.")


def columns_of(header: Sequence[str], given: Columns, unfit: Collection[str] = ()) -> Columns:
    """All roles in a table: what the user gave, else what the names say, but for those of `unfit` columns."""
    there = set(header)
    kept = {role: name for role in SINGLE if (name := getattr(given, role)) in there}
    lists = {role: tuple(name for name in getattr(given, role) if name in there) for role in LISTS}
    taken = {*kept.values(), *(name for names in lists.values() for name in names)}
    plain: dict[str, str] = {}
    for name in header:
        plain.setdefault(_plain(name), name)
    for role, defaults in _DEFAULTS.items():
        if role == "name" and "step" in kept:
            defaults = tuple(one for one in defaults if one != _NAME)  # of whatever else, in a table of points
        name = next((plain[one] for one in defaults if plain.get(one) not in {None, *taken, *unfit}), None)
        if role not in kept and name is not None and (role != "name" or "run" in kept):
            kept[role] = name
            taken.add(name)
    metric = next((plain[one] for one in _METRICS if one in plain), None)
    value = next((plain[one] for one in _VALUES if one in plain), None)
    if "metric" not in kept and metric and value and taken.isdisjoint((metric, value)):
        kept |= {"metric": metric, "value": value}
        taken |= {metric, value}
    if "step" not in kept and INDEX in there - taken - set(unfit):
        kept["step"] = INDEX
    free = [name for name in header if name not in taken]
    lists["ignore"] += tuple(name for name in free if name not in unfit and _is_left_out(name, kept))
    for name in free:
        prefix = next((one for one in _PREFIXES if name.startswith(one) and name != one), None)
        if prefix and name not in lists["ignore"]:
            lists[_PREFIXES[prefix]] += (name,)
        elif name == _EXPERIMENT_ID and "run" in kept:
            lists["tags"] += (name,)
    return structs.replace(given, **{**dict.fromkeys(SINGLE), **kept, **lists})


def _is_left_out(name: str, kept: Mapping[str, str]) -> bool:
    """Whether a column says nothing that the others do not, or what stays where the table was written."""
    if name == INDEX:
        return kept.get("step") != INDEX
    if name in _DERIVED:
        return "start" in kept and "end" in kept
    return name in _NOT_KEPT or _SUMMARY.fullmatch(name) is not None


def has_usual_params(header: Sequence[str]) -> bool:
    """Whether a column is called as params often are."""
    return any(_plain(name) in _USUAL_PARAMS for name in header)


def name_column(header: Sequence[str], columns: Columns) -> str | None:
    """The column `name` of a table without a column of runs, unless it has a role."""
    taken = columns.named()
    return next((name for name in header if _plain(name) == _NAME and name not in taken), None)


def without_prefix(name: str) -> str:
    """The name of a param, metric or tag as the tracker had it that wrote the table."""
    prefix = next((one for one in _PREFIXES if name.startswith(one) and name != one), "")
    return name[len(prefix) :]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
