"""What stands in the files of a run of Sacred's, in our terms; much of it in the notation of jsonpickle."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tracker.foreign.damage import Problems
from tracker.foreign.text_files import iso_time, number_of, text, whole
from tracker.masking import clean_remote, mask_text
from tracker.reader import Environment
from tracker.schema import Source
from tracker.summary import Series

MAX_DEPTH = 60
MAX_CAUSE = 300
"""Characters of what ended a run."""
_TYPE = "py/object"
_QUOTED_PATH = re.compile(r'File "([^"\n]+)"')
_ABSOLUTE = re.compile(r"[\\/~]|[A-Za-z]:")


def fields(value: dict[str, Any], name: str) -> dict[str, Any]:
    """An object inside an object; an empty one where there is none."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def plain(value: Any, depth: int = 0) -> Any:
    """A value as jsonpickle noted it, in plain types: numpy's numbers and arrays, tuples, sets and types.

    Nothing is ever made from the names of classes. Any other object stays as it is noted.
    """
    if depth > MAX_DEPTH:
        return value
    if isinstance(value, list):
        return [plain(entry, depth + 1) for entry in value]
    if not isinstance(value, dict):
        return value
    for name, kind in (("py/tuple", tuple), ("py/set", list)):
        if isinstance(value.get(name), list):
            return kind(plain(entry, depth + 1) for entry in value[name])
    if isinstance(value.get("py/type"), str):
        return value["py/type"]
    if text(value.get(_TYPE)).startswith("numpy.") or value.keys() == {"dtype", "value"}:
        for name in ("value", "values"):
            if name in value:
                return plain(value[name], depth + 1)
    return {key: plain(entry, depth + 1) for key, entry in value.items()}


def series_of(points: object, tell: Callable[[str], None]) -> Series | None:
    """The points of a metric; None where there is none. Those that cannot be read are told, and left out."""
    if not isinstance(points, dict):
        tell("has no points")
        return None
    columns = [points.get(name) for name in ("steps", "values", "timestamps")]
    lists = [column for column in columns if isinstance(column, list)]
    if len(lists) < 3:
        tell("lacks steps, values or timestamps")
        return None
    if len({len(column) for column in lists}) > 1:
        tell("has not as many steps as values and timestamps; what is left over is left out")
    series, problems = Series(), Problems(tell)
    for given_step, given, given_time in zip(*lists, strict=False):
        step, value, time = whole(plain(given_step)), number_of(plain(given)), iso_time(given_time)
        if step is not None and value is not None and time is not None:
            series.steps.append(step)
            series.values.append(value)
            series.times.append(time)
        else:
            problems.add(f"is no point: step {given_step!r:.40}, value {given!r:.40}, time {given_time!r:.40}")
    problems.end()
    series.sort()
    return series if len(series) else None


def source_of(head: dict[str, Any]) -> Source | None:
    """The script, relative to the experiment, and the commit that it was of."""
    experiment = fields(head, "experiment")
    script = relative(text(experiment.get("mainfile")))
    listed = experiment.get("repositories")
    repository = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    commit, dirty, url = text(repository.get("commit")), repository.get("dirty"), text(repository.get("url"))
    if not script and not commit:
        return None
    remote = None if url.startswith("git:/") and not url.startswith("git://") else clean_remote(url)
    return Source(script or None, commit or None, None, dirty if isinstance(dirty, bool) else None, remote)


def relative(path: str) -> str:
    """A path relative to the code of an experiment; of one that leads out of it the name only."""
    path = path.replace("\\", "/")
    return path.rpartition("/")[2] if _ABSOLUTE.match(path) or ".." in path.split("/") else path


def environment_of(head: dict[str, Any]) -> Environment | None:
    """Python, packages and processors; neither the host nor its variables."""
    host, experiment = fields(head, "host"), fields(head, "experiment")
    given = host.get("os")
    system = given[0] if isinstance(given, list) and given else given
    listed = experiment.get("dependencies")
    pairs = [text(entry).partition("==") for entry in (listed if isinstance(listed, list) else ())]
    gpus = host.get("gpus")
    cards = gpus.get("gpus") if isinstance(gpus, dict) else None
    found = Environment(
        python=text(host.get("python_version")),
        platform=text(system),
        packages={name: version for name, _, version in pairs if name and version != "<unknown>"},
        cpu=text(host.get("cpu")),
        gpu=[text(card.get("model")) for card in (cards if isinstance(cards, list) else ()) if isinstance(card, dict)],
    )
    return found if found != Environment() else None


def trace_of(head: dict[str, Any]) -> str:
    """The traceback of a run that failed, without secrets and without the folders of the machine."""
    lines = head.get("fail_trace")
    if not isinstance(lines, list):
        return ""
    base = text(fields(head, "experiment").get("base_dir"))
    trace = "".join(line for line in lines if isinstance(line, str))
    return mask_text(_QUOTED_PATH.sub(lambda found: f'File "{_short(found[1], base)}"', trace))


def _short(path: str, base: str) -> str:
    """A path relative to the experiment's folder, or its last name."""
    if base and path.startswith((f"{base}/", f"{base}\\")):
        return path[len(base) + 1 :]
    return "…/" + re.split(r"[\\/]", path)[-1] if _ABSOLUTE.match(path) else path


def cause_of(head: dict[str, Any]) -> str | None:
    """The type and first line of the exception that ended a run."""
    lines = head.get("fail_trace")
    told = [text(line) for line in (lines if isinstance(lines, list) else ())]
    last = next((line for line in reversed(told) if line.strip() and not line.startswith(" ")), "")
    return mask_text(last.strip().partition("\n")[0])[:MAX_CAUSE].strip() or None
