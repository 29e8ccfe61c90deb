"""MLflow's client: the same by id and by name, in any store.

>>> client = tracker.MlflowClient()
>>> client.set_registered_model_alias("iris", "champion", 3)
>>> client.get_run(client.get_model_version_by_alias("iris", "champion").run_id).data.metrics
"""

from __future__ import annotations

from tracker.client.missing import remedy
from tracker.client.paging import PagedList
from tracker.client.registered import RegistryClient
from tracker.client.runs import RunsClient
from tracker.exceptions import did_you_mean

__all__ = ["Client", "MlflowClient", "PagedList"]


class MlflowClient(RunsClient, RegistryClient):
    """Reads and writes the runs and the registered models of a store, by id and by name.

    `tracking_uri` names the store; by default it is the one that is in use when the client is made. `registry_uri`
    names another one for registered models. Nothing of what the script has chosen changes: neither its store, nor its
    experiment, nor its active run.

    >>> client = MlflowClient("runs")
    >>> run = client.create_run(client.create_experiment("digits"))
    >>> client.log_metric(run.info.run_id, "loss", 0.5, step=1)
    >>> client.set_terminated(run.info.run_id)
    """

    def __getattr__(self, name: str) -> object:
        known = [known for known in dir(type(self)) if not known.startswith("_")]
        hint = remedy(name) or did_you_mean(name, known) or " docs/client.md has the methods that there are."
        raise AttributeError(f"tracker's MlflowClient has no {name!r}.{hint}")


Client = MlflowClient
