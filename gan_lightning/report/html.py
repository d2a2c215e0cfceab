"""HTML from texts that may come from a stranger's run folder: everything is escaped."""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class Html(str):
    """Markup; any other string is a text, and escaped where it is put into markup."""


def text(value: object) -> Html:
    """Return a value as markup: escaped, unless it is markup."""
    return value if isinstance(value, Html) else Html(html.escape(str(value)))


def joined(parts: Iterable[object]) -> Html:
    """Return the parts one after the other."""
    return Html("".join(text(part) for part in parts))


def tag(name: str, *parts: object, **attributes: object) -> Html:
    """Return an element; `class_` is the attribute class, `data_x` is data-x."""
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{named}>{joined(parts)}</{name}>")


def table(head: Sequence[object], rows: Iterable[Sequence[object]], numbers: bool = True) -> Html:
    """Return a table that scrolls where it is too wide; the first column names the row."""
    lines = [
        tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in rest))
        for first, *rest in rows
    ]
    top = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    kind = "numbers" if numbers else "words"
    inside = tag("table", tag("thead", top), tag("tbody", *lines), class_=kind)
    return tag("div", inside, class_="wide", tabindex="0")


def document(title: object, body: Html, script: str = "") -> str:
    """Return a page in one file that needs no network; its policy lets one script run, or none."""
    style = (HERE / "page.css").read_text(encoding="utf-8")
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy += f"; script-src 'sha256-{digest}'"
    head = joined(
        [
            Html('<meta charset="utf-8">'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Html('<meta name="color-scheme" content="light dark">'),
            tag("title", title),
            Html(f"<style>{style}</style>"),
        ]
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def json_text(value: Any) -> Html:
    """Return JSON that can stand in a script element: nothing in it can end the element."""
    dumped = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Html(dumped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
