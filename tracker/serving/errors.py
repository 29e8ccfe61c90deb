"""What a client did wrong, with the status that it gets."""

from __future__ import annotations

from tracker.exceptions import InvalidValueError


class RequestError(InvalidValueError):
    """A request that cannot be answered: its message goes to the client."""

    error_code = "BAD_REQUEST"
    status = 400


class TypeNotSupportedError(RequestError):
    """A body of a type that is not read."""

    status = 415


class TooLargeError(RequestError):
    """A body that is larger than the server takes."""

    status = 413


class PredictionError(RequestError):
    """The model raised an exception, which is the cause of this one."""
