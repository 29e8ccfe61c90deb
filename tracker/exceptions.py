"""Everything that tracker raises on purpose.

```
TrackerError                    base; also named MlflowException, carries an error_code as MLflow's does
├── InvalidValueError           a value that cannot be logged as it is
│   ├── InvalidNameError        an empty, too long or unsafe name or path
│   ├── ParamClashError         a param already has another value
│   ├── QueryError              a mistake in a query, with its position
│   └── SchemaMismatchError     data that do not fit the signature of a model
├── NotFoundError               no such run, experiment, artifact, model
├── AlreadyExistsError          the name is taken
├── RunStateError               the run is closed, or another one is active
├── StoreError                  the folder of a store
│   ├── NotAStoreError          a path that holds something else
│   ├── NewerSchemaError        a store written by a newer tracker
│   └── StorageError            writing failed: disk full, no permission, ...
├── ModelError                  the folder of a model cannot be used
│   ├── ChangedModelError       a file is not what its digest says
│   └── UntrustedModelError     loading would run code that nobody vouched for
├── SiteError                   the folder of a site cannot be written or is not ours
└── MissingPackageError         an optional part is not installed (also an ImportError)
```
Each message says what happened, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable


class TrackerError(Exception):
    """Base of all errors that tracker raises on purpose."""

    error_code = "INTERNAL_ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.message, self.__dict__)


def _restore(kind: type[TrackerError], message: str, state: dict[str, object]) -> TrackerError:
    """Rebuild a pickled error without its constructor, so that it crosses processes whatever its arguments."""
    error = kind.__new__(kind, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error


MlflowException = TrackerError


class InvalidValueError(TrackerError, ValueError):
    """A value that cannot be logged as it is."""

    error_code = "INVALID_PARAMETER_VALUE"


class InvalidNameError(InvalidValueError):
    """A name or path that is empty, too long or unsafe."""


class ParamClashError(InvalidValueError):
    """A param already has another value; params are write-once."""


class QueryError(InvalidValueError):
    """A mistake in a query: what was expected, and where."""

    def __init__(self, message: str, *, query: str, position: int, expected: str = "") -> None:
        shown = query.replace("\n", " ").replace("\t", " ")
        lines = [f"{message} (at character {position + 1})", f"  {shown}", f"  {' ' * position}^"]
        if expected:
            lines.append(f"Expected {expected}.")
        super().__init__("\n".join(lines))
        self.query = query
        self.position = position
        """Index of the first character that is wrong, counted from 0."""
        self.expected = expected


class SchemaMismatchError(InvalidValueError):
    """Data that do not fit the signature of a model: which column, what was expected, what came."""


class NotFoundError(TrackerError, LookupError):
    """No such run, experiment, artifact or model."""

    error_code = "RESOURCE_DOES_NOT_EXIST"


class AlreadyExistsError(TrackerError):
    """The name is taken."""

    error_code = "RESOURCE_ALREADY_EXISTS"


class RunStateError(TrackerError):
    """The run is closed, or another one is active."""

    error_code = "INVALID_STATE"


class StoreError(TrackerError):
    """Something is wrong with the folder of a store."""


class NotAStoreError(StoreError):
    """A path that holds something else than a store."""

    error_code = "INVALID_PARAMETER_VALUE"


class NewerSchemaError(StoreError):
    """A store that a newer tracker wrote."""

    error_code = "FEATURE_DISABLED"


class StorageError(StoreError, OSError):
    """The operating system refused to write: the disk is full, permission is missing, ..."""

    error_code = "IO_ERROR"

    def __str__(self) -> str:
        return self.message


class ModelError(TrackerError):
    """The folder of a model cannot be used: it is damaged, of a newer format, or no model at all."""

    error_code = "INVALID_PARAMETER_VALUE"


class ChangedModelError(ModelError):
    """A file of a model is not what its digest says."""


class UntrustedModelError(ModelError):
    """Loading would run code from outside the store, and nobody vouched for it with `trust=`."""

    error_code = "PERMISSION_DENIED"


class SiteError(TrackerError):
    """The folder of a site cannot be written, or holds something that is not ours."""


class MissingPackageError(TrackerError, ImportError):
    """An optional part is not installed."""

    error_code = "FEATURE_DISABLED"

    def __init__(self, purpose: str, extra: str = "", *, packages: Iterable[str] = ()) -> None:
        needed = " ".join(f'"{package}"' for package in packages) or _packages_of(extra)
        super().__init__(f"{purpose} needs packages that are not installed. Run: pip install {needed}")


def _packages_of(extra: str) -> str:
    """The packages of an extra, quoted for a shell, one by one: that is right wherever tracker is from."""
    import re
    from importlib.metadata import PackageNotFoundError, requires

    try:
        needs = [text.replace("'", '"').partition(";") for text in requires("tracker") or ()]
    except PackageNotFoundError:
        return f'".[{extra}]"'
    found = []
    for package, _, marker in needs:
        if f'extra == "{extra}"' in marker:
            inner = re.fullmatch(r"tracker\[(.+)\]", package.strip())
            found += [_packages_of(name) for name in inner[1].split(",")] if inner else [f'"{package.strip()}"']
    return " ".join(found) or f'".[{extra}]"'


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean "x"?` when one of the known names is close, else an empty text."""
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1)
    return f' Did you mean "{close[0]}"?' if close else ""
