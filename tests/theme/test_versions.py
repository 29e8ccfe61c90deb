"""The chart library of the browser understands what Altair writes."""

from __future__ import annotations

import json
from pathlib import Path

import altair

PACKAGES = Path(__file__).resolve().parents[2] / "theme" / "package.json"


def test_vega_lite_is_of_the_version_that_altair_writes_for() -> None:
    """The major version of the bundled Vega-Lite is that of Altair's schema."""
    bundled = json.loads(PACKAGES.read_text("utf-8"))["devDependencies"]["vega-lite"]
    assert altair.SCHEMA_VERSION.removeprefix("v").split(".")[0] == bundled.split(".")[0]
