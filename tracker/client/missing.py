"""What MLflow's client has and ours does not, with what to use instead."""

from __future__ import annotations

from tracker.exceptions import InvalidValueError

_PROJECT = "It is of MLflow's tools for language models, which tracker does not have. "
_TRACES = _PROJECT + "Log what went in and out with log_dict() or log_table()."
_PROMPTS = _PROJECT + "Keep prompts beside your code, and log the one that was used with log_text()."
_LOGGED = "A model belongs to the run that logged it: use log_model() of its flavor, then runs:/<run_id>/<name>."
_DATASETS = "Log what tells a dataset, such as a name and a digest, with log_param() or set_tag()."
_WORKSPACES = "A workspace is a store: name its folder, MlflowClient(tracking_uri=...)."
_EXPERIMENT = "An experiment is a folder of the store: "

_REMEDIES = {
    "delete_experiment": _EXPERIMENT + "delete or move that folder.",
    "restore_experiment": _EXPERIMENT + "put it back to where it was.",
    "rename_experiment": _EXPERIMENT + "change `name` in its experiment.yaml.",
    "delete_experiment_tag": _EXPERIMENT + "remove the tag from its experiment.yaml.",
    "log_inputs": _DATASETS,
    "log_outputs": _LOGGED,
    "log_stream": "Write the stream to a file, and use log_artifact().",
}
"""By name of a method."""
KINDS = {
    "webhook": "Nothing runs that could call: let CI react to the commit that changes the registry.",
    "workspace": _WORKSPACES,
    "mcp": _PROJECT.rstrip(),
    "trace": _TRACES,
    "span": _TRACES,
    "assessment": _TRACES,
    "prompt": _PROMPTS,
    "dataset": _DATASETS,
    "logged_model": _LOGGED,
    "log_model_": _LOGGED,
}
"""By a part of the name."""


def refuse(instead: str, **arguments: object) -> None:
    """InvalidValueError when one of MLflow's arguments is given that has no meaning here."""
    given = " and ".join(name for name, value in arguments.items() if value is not None)
    if given:
        raise InvalidValueError(f"{given} cannot be given. {instead}")


def remedy(name: str) -> str:
    """What to use in place of a method of MLflow's client, after a blank; empty for a name that MLflow lacks too."""
    found = _REMEDIES.get(name) or next((text for part, text in KINDS.items() if part in name), "")
    return found and f" {found}"
