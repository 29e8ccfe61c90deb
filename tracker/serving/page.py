"""The page at `/`: what the model takes and gives, and a request to copy. It loads nothing and runs one script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from typing import Any

from msgspec import Struct

from tracker.models.inspection import ModelFacts
from tracker.serving.examples import curl_line, example_request

_STYLE = """
:root{color-scheme:light dark;--line:#d8dade;--quiet:#5a6068;--block:#f5f6f7;--accent:#3949ab}
@media (prefers-color-scheme:dark){:root{--line:#3a3f46;--quiet:#a3a9b2;--block:#1d2024;--accent:#9fa8da}}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.05rem;margin:2rem 0 .5rem}
p{margin:.25rem 0;color:var(--quiet);max-width:70ch}a{color:var(--accent)}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.25rem 1.5rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;font-size:.85rem;color:var(--quiet)}
code,pre{font:14px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
pre{background:var(--block);padding:.75rem 1rem;margin:0;white-space:pre-wrap;border-radius:4px}
button{font:inherit;font-size:.85rem;min-height:28px;margin-top:.5rem;padding:.1rem .8rem;border:1px solid var(--line);
border-radius:4px;background:none;color:inherit;cursor:pointer}
button:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
"""
_SCRIPT = """
for (const button of document.querySelectorAll("button")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const pre = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(pre.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(pre);
    }
  });
}
"""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page: only its own style and script, by their hashes."""


class About(Struct, frozen=True):
    """What the page tells of a model."""

    uri: str
    """As it was given to the command."""
    facts: ModelFacts


def render_page(about: About, address: str) -> str:
    """The page as HTML; `address` is where the server was asked for it. All that came from the model is text."""
    facts = about.facts
    body = example_request(facts)
    flavors = ", ".join(facts.flavors) or "python_function"
    parts = [
        f"<h1>{escape(about.uri)}</h1>",
        f"<p>{escape(flavors)} · {escape(facts.format)}</p><p><code>{escape(facts.digest)}</code></p>",
        *_schema("Inputs", getattr(facts.signature, "inputs", None)),
        *_schema("Outputs", getattr(facts.signature, "outputs", None)),
        *_params(getattr(facts.signature, "params", None)),
        "<h2>Try it</h2>",
        _block("curl", curl_line(address, body)),
        "<h2>Request</h2>",
        _block("body", body),
        "<h2>More</h2>",
        "<p>POST to <code>/invocations</code> as <code>application/json</code> (dataframe_split, dataframe_records, "
        "instances or inputs; params beside it) or as <code>text/csv</code>. "
        '<a href="/ping">/ping</a> and <a href="/health">/health</a> answer while the server works.</p>',
    ]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(about.uri)}</title><style>{_STYLE}</style></head><body><main>"
        f"{''.join(parts)}</main><script>{_SCRIPT}</script></body></html>"
    )


def _block(name: str, text: str) -> str:
    return f'<pre id="{name}">{escape(text)}</pre><button type="button" data-copies="{name}" hidden>Copy</button>'


def _schema(title: str, schema: Any) -> list[str]:
    if schema is None:
        return [f"<h2>{title}</h2><p>The model has no signature that says.</p>"] if title == "Inputs" else []
    rows = [
        (str(name), type_text(spec), "" if spec.required else "optional")
        for name, spec in zip(schema.input_names(), schema.inputs, strict=True)
    ]
    return [f"<h2>{title}</h2>", _table(("name", "type", ""), rows)]


def _params(schema: Any) -> list[str]:
    if not schema:
        return []
    rows = [(spec.name, f"{spec.dtype!r}", repr(spec.default)) for spec in schema]
    return ["<h2>Params</h2>", _table(("name", "type", "default"), rows)]


def type_text(spec: Any) -> str:
    """The type of a column, or dtype and shape of a tensor."""
    return f"{spec.dtype_name} {spec.shape}" if hasattr(spec, "shape") else repr(spec.type)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    top = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"
