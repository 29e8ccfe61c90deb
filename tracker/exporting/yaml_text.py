"""A `meta.yaml` as MLflow writes it: plain scalars, in the order of their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracker.yaml_files import yaml_bytes


def meta_yaml(fields: Mapping[str, str | int | None]) -> bytes:
    """The bytes of a `meta.yaml`. Printable text is quoted by hand: there is one file for every run."""
    return b"".join(_lines(fields))


def _lines(fields: Mapping[str, str | int | None]) -> Iterator[bytes]:
    for key, value in sorted(fields.items()):
        if value is None:
            yield f"{key}: null\n".encode()
        elif isinstance(value, int):
            yield f"{key}: {value}\n".encode()
        elif value.isprintable():
            quoted = value.replace("'", "''")
            yield f"{key}: '{quoted}'\n".encode()
        else:
            yield yaml_bytes({key: value})
