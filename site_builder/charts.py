"""The only module that imports altair: one specification for each kind of chart, made and validated once.

A specification names its data sets and holds none; the browser binds them. Colours are CSS variables of the theme,
so a chart follows a change of scheme without being drawn again. `docs/site-data.md` lists the data sets and the places
that the browser fills in.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from site_builder.cached import cached_bytes
from tracker.exceptions import MissingPackageError
from tracker.installed import installed_version

SERIES = [f"var(--tk-c{index})" for index in range(10)]
STATUSES = {
    "FINISHED": "circle",
    "RUNNING": "triangle-right",
    "FAILED": "cross",
    "KILLED": "square",
    "STALE": "diamond",
}
HEIGHT = 220

_FILLED_IN = {
    "titles": ["encoding.x.title", "encoding.y.title"],
    "scales": ["encoding.x.scale.type", "encoding.y.scale.type"],
}
_AXIS = {
    "domainColor": "var(--tk-line-strong)",
    "tickColor": "var(--tk-line-strong)",
    "gridColor": "var(--tk-grid)",
    "labelColor": "var(--tk-axis)",
    "titleColor": "var(--tk-axis)",
    "titleFontWeight": "normal",
    "labelFontSize": 11,
    "titleFontSize": 11,
    "labelOverlap": True,
    "labelFlush": False,
    "tickSize": 4,
}
_LABEL = (
    "abs(datum.value) >= 1e6 && datum.label ? replace(format(datum.value, '.6~e'), '+', '')"
    " : length(datum.label) > 6 ? format(datum.value, ',.9~g') : datum.label"
)
"""Powers of ten from a million on, no idle zeros in long labels, and none where a log axis has no label."""
_CONFIG = {
    "font": "system-ui, sans-serif",
    "background": "transparent",
    "view": {"stroke": None},
    "axis": _AXIS,
    "axisX": {"grid": False, "tickCount": 6},
    "axisY": {"tickCount": 4, "domain": False, "ticks": False},
}


def chart_specifications() -> bytes:
    """All specifications as one JSON object, from the cache when this version of altair made them before."""
    return cached_bytes("charts", charts_key(), _make)


def charts_key() -> str:
    """A digest of what the specifications are made by; needs no altair."""
    version = installed_version("altair")
    if version is None:
        raise MissingPackageError("Building a site", "site")
    return hashlib.sha256(version.encode() + Path(__file__).read_bytes()).hexdigest()[:32]


def _make() -> bytes:
    made = {"curves": _curves(), "progress": _progress(), "scatter": _scatter()}
    return json.dumps(made, sort_keys=True, separators=(",", ":")).encode()


def _curves() -> dict[str, Any]:
    """Values over steps: the logged points, thin under a smoothed line; what was not finite; points without a line."""
    import altair as alt

    raw = alt.Chart(alt.NamedData("points")).mark_line(
        strokeWidth=1.5, clip=True, aria=False, opacity=alt.expr("length(data('smooth')) ? 0.25 : 1")
    )
    smooth = alt.Chart(alt.NamedData("smooth")).mark_line(strokeWidth=2, clip=True, aria=False)
    marks = (
        alt.Chart(alt.NamedData("marks"))
        .mark_point(shape="triangle-up", filled=True, size=50, clip=True, aria=False)
        .encode(y=alt.value(6))
    )
    lone = alt.Chart(alt.NamedData("lone")).mark_point(shape="circle", filled=True, size=36, clip=True, aria=False)
    color = alt.Color("series:N", scale=alt.Scale(domain=list(range(10)), range=SERIES), legend=None)
    return _specification(
        alt.layer(raw, smooth, marks, lone),
        {"x": _number_axis(alt.X, "x"), "y": _number_axis(alt.Y, "y"), "color": color, "detail": alt.Detail("label:N")},
        "Values of metrics over steps",
    )


def _progress() -> dict[str, Any]:
    """Every run by its start, and the best value so far."""
    import altair as alt

    runs = alt.Chart(alt.NamedData("points")).mark_point(filled=True, size=22, opacity=0.45, clip=True, aria=False)
    best = alt.Chart(alt.NamedData("points")).mark_line(interpolate="step-after", strokeWidth=2, clip=True, aria=False)
    start = alt.X("x:T", title="start", scale=alt.Scale(type="utc"), axis=alt.Axis(formatType="time"))
    return _specification(
        alt.layer(runs, best.encode(y=_number_axis(alt.Y, "best"))),
        {"x": start, "y": _number_axis(alt.Y, "y"), "color": alt.value(SERIES[0])},
        "Best value so far over the runs in the order of their start",
    )


def _scatter() -> dict[str, Any]:
    """One point for each run; its shape is the run's status."""
    import altair as alt

    points = alt.Chart(alt.NamedData("points")).mark_point(filled=True, size=36, opacity=0.75, clip=True, aria=False)
    shape = alt.Shape("status:N", scale=alt.Scale(domain=list(STATUSES), range=list(STATUSES.values())), legend=None)
    return _specification(
        alt.layer(points),
        {
            "x": _number_axis(alt.X, "x"),
            "y": _number_axis(alt.Y, "y"),
            "shape": shape,
            "color": alt.value(SERIES[0]),
            "detail": alt.Detail("id:N"),
        },
        "Runs as points",
    )


def _number_axis(channel: Any, field: str) -> Any:
    import altair as alt

    scale = alt.Scale(type="linear", zero=False, nice=False)
    return channel(f"{field}:Q", title=field, scale=scale, axis=alt.Axis(labelExpr=_LABEL))


def _specification(layers: Any, encoding: dict[str, Any], description: str) -> dict[str, Any]:
    """The layers with the encoding that they share, validated against the schema of Vega-Lite."""
    layers.encoding = encoding
    chart = layers.properties(
        width="container", height=HEIGHT, description=description, usermeta={"tracker": _FILLED_IN}
    ).configure(**_CONFIG)
    made: dict[str, Any] = chart.to_dict(validate=True)
    return made
