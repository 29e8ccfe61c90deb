"""What a check of the registry found, as data and as Markdown for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

Severity = Literal["error", "warning"]

MAX_BYTES = 60_000
"""A comment on GitHub has room for 65,536 characters."""
_LINKED = re.compile(r"(?i)@|:(?=//)|www(?=\.)")
"""What GitHub makes mentions and links of without any markup."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~&])")


class Finding(Struct, frozen=True):
    """One thing that is not as it should be."""

    severity: Severity
    path: str
    """The file to look at, relative to the store."""
    message: str
    model: str = ""
    version: int | None = None


class ModelSummary(Struct, frozen=True):
    """A registered model in a line."""

    name: str
    versions: int
    """Without deleted ones."""
    stages: dict[str, list[int]] = {}
    """The versions in each stage but `None`."""
    aliases: dict[str, str] = {}


class Report(Struct, frozen=True):
    """The outcome of a check."""

    findings: tuple[Finding, ...] = ()
    """Errors first, then by file."""
    models: tuple[ModelSummary, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that close the gate."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that do not."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    @property
    def passed(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    @property
    def summary(self) -> str:
        """One line: what was checked and what was found."""
        versions = sum(model.versions for model in self.models)
        found = [_count(len(self.errors), "error"), _count(len(self.warnings), "warning")]
        return f"{_count(len(self.models), 'model')}, {_count(versions, 'version')}: {' and '.join(found)}"

    def to_markdown(self) -> str:
        """The report for a pull request. What models are called cannot add markup to it or mention anybody."""
        verdict = "passed" if self.passed else "failed"
        lines = [f"### Model registry: {verdict}", "", f"{self.summary}.", ""]
        for title, findings in (("Errors", self.errors), ("Warnings", self.warnings)):
            if findings:
                lines += [f"**{title}**", "", *_bullets(findings), ""]
        if self.models:
            lines += ["| model | versions | stages | aliases |", "|---|---:|---|---|"]
            lines += [_row(model) for model in self.models]
        return _cut("\n".join(lines).rstrip() + "\n")


def plain(text: str) -> str:
    """Text in which Markdown has nothing to do: no markup, no link, nobody mentioned."""
    escaped = _SPECIAL.sub(r"\\\1", _printable(" ".join(text.split())))
    return _LINKED.sub(lambda found: f"{found[0]}\u200b", escaped)


def _bullets(findings: Iterable[Finding]) -> list[str]:
    return [f"- `{_code(finding.path)}`: {plain(finding.message)}" for finding in findings]


def _row(model: ModelSummary) -> str:
    stages = "; ".join(f"{plain(stage)}: {', '.join(map(str, found))}" for stage, found in model.stages.items())
    aliases = "; ".join(f"{plain(alias)}: {plain(target)}" for alias, target in model.aliases.items())
    return f"| {plain(model.name)} | {model.versions} | {stages} | {aliases} |"


def _code(path: str) -> str:
    return _printable(path).replace("`", "'")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _cut(text: str) -> str:
    """At most as much as a comment takes, with whole lines."""
    data = text.encode()
    if len(data) <= MAX_BYTES:
        return text
    kept = data[:MAX_BYTES].decode(errors="ignore").rpartition("\n")[0]
    left = text[len(kept) :].count("\n") - 1
    return f"{kept}\n\n... and {left:,} more lines. `tracker registry check` shows all of them.\n"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
