"""The parts that the report's page is made of: its style, cells, tables and lists."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from html import escape

from .report_file import ShareReport

__all__ = ["STYLE", "bar", "bullets", "folded", "number_cell", "share_cell", "table", "text_cell"]

_BAR_WIDTH = 90
_BAR_HEIGHT = 14

STYLE = """
:root{color-scheme:light dark;--text:#1c1c1c;--quiet:#5a5a5a;--page:#fff;--line:#dcdcdc;--empty:#ececec;
--bar:#8fbf9f;--good:#156b2e;--bad:#a3210f;--mind:#fff6dd;--shade:#0004}
@media(prefers-color-scheme:dark){:root{--text:#e4e4e4;--quiet:#a5a5a5;--page:#171918;--line:#383c3a;
--empty:#2d312f;--bar:#3f7a54;--good:#6fd08c;--bad:#ff8f7d;--mind:#3a3117;--shade:#fff6}}
body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem;
color:var(--text);background:var(--page)}
h1{margin-bottom:0}h2{margin-top:2.2rem}
/* What is too wide scrolls; the edge behind which there is more is shaded, until one is there. */
.wide{overflow-x:auto;margin:.5rem 0 1rem;background:
linear-gradient(to left,var(--page) 35%,transparent) right/3rem 100% no-repeat local,
linear-gradient(to left,var(--shade),transparent) right/1rem 100% no-repeat scroll}
table{border-collapse:collapse;font-size:14px}
th,td{padding:.3rem .4rem;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}
th{font-weight:600;white-space:normal;vertical-align:bottom}
tr>:first-child{position:sticky;left:0;background:var(--page)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.quiet{color:var(--quiet)}
.passed{color:var(--good)}.refused,.left_out,.flipped{color:var(--bad)}
.mind{background:var(--mind);padding:.6rem 1rem;border-radius:.4rem}.mind ul{margin:0}
summary{cursor:pointer;font-weight:600;margin:.6rem 0}code{font-size:.85em;overflow-wrap:anywhere}
rect.empty{fill:var(--empty)}rect.value{fill:var(--bar)}svg{vertical-align:middle}
@media(max-width:45rem){td svg{display:block}tr>:first-child{max-width:40vw;white-space:normal}}
path{stroke:var(--text);stroke-width:2}
"""


def share_cell(share: ShareReport) -> str:
    """A counted share: its bar, the counts, the interval."""
    if share.value is None:
        return text_cell("none", "quiet")
    drawn = bar(share.value, share.low, share.high)
    between = f'<span class="quiet">{share.low:.2f}-{share.high:.2f}</span>'
    return f"<td>{drawn} {share.hits} of {share.n} {between}</td>"


def bar(value: float, low: float | None, high: float | None) -> str:
    """A value on 0..1 as a bar, with its interval as a line."""
    interval = ""
    if low is not None and high is not None:
        interval = f'<path d="M{low * _BAR_WIDTH:.1f} 7H{high * _BAR_WIDTH:.1f}"/>'
    return (
        f'<svg width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}" role="img" aria-label="{value:.3f}">'
        f'<rect class="empty" width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}"/>'
        f'<rect class="value" width="{value * _BAR_WIDTH:.1f}" height="{_BAR_HEIGHT}"/>{interval}</svg>'
    )


def text_cell(text: str, kind: str = "") -> str:
    """Words."""
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def number_cell(value: float | None, form: str) -> str:
    """A number, or nothing."""
    return f'<td class="n">{"" if value is None else format(value, form)}</td>'


def table(headings: Sequence[str], rows: Iterable[list[str]], *, numbers: Container[str] = ()) -> str:
    """A table that scrolls where it is wider than the page."""
    head = "".join(
        f'<th class="n">{escape(heading)}</th>' if heading in numbers else f"<th>{escape(heading)}</th>"
        for heading in headings
    )
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>\n{body}</table></div>'


def folded(summary: str, content: str) -> str:
    """What is shown to those who ask for it."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def bullets(lines: Iterable[str]) -> str:
    """Lines as a list."""
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
