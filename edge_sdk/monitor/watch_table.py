"""The live table of ``edge-sdk watch``. The only module of the monitor that imports rich."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..contract.messages import Alert
from ..errors import MissingExtraError
from .incoming import Received
from .intake import Counters
from .problem_text import describe_problem
from .watch_lines import clock_time, told_time
from .watch_state import WatchState, duration_s, latency_s

try:
    from rich import box
    from rich.console import Console, Group, RenderableType
    from rich.live import Live
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text
except ImportError as error:
    raise MissingExtraError("rich", "monitor") from error

__all__ = ["Header", "LiveTable", "render"]

_FRAME_LINES = 12  # title, devices, two boxes with headings, counters, and one to spare
_MOST_OPEN = 8
_WIDE = 100  # columns; a narrower terminal is not told the level
_NUMBERS = ("heard for", "dBFS", "delay")
_LEAST_WIDTHS = {"UTC": 8, "since": 8, "score": 11, "peak score": 11, "heard for": 9, "dBFS": 6, "delay": 7}
_TYPE_STYLES = {"new": "bold red", "update": "yellow", "end": "green"}


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above the tables.

    Attributes:
        scope: What is watched, for example ``north/+``.
        is_connected: Whether there is a connection.
        condition: How it stands, in words.
    """

    scope: str
    is_connected: bool
    condition: str


class LiveTable:
    """A table that fills the terminal until it is closed, and leaves it as it was."""

    def __init__(self, scope: str, console: Console | None = None) -> None:
        self._scope = scope
        self._console = console or Console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)
        self._live.start()

    def show(self, state: WatchState, counters: Counters, *, is_connected: bool, condition: str) -> None:
        """Draw it anew."""
        header = Header(self._scope, is_connected, condition)
        screen = render(header, state, counters, width=self._console.width, height=self._console.height)
        self._live.update(screen, refresh=True)

    def close(self) -> None:
        """Give the terminal back."""
        self._live.stop()


def render(
    header: Header, state: WatchState, counters: Counters, *, width: int, height: int
) -> RenderableType:
    """Everything on one screen of ``width`` columns and ``height`` lines."""
    wide = width >= _WIDE
    shown_open = min(max(1, len(state.open_events)), _MOST_OPEN)
    room = max(3, height - _FRAME_LINES - shown_open - len(state.problems))
    return Group(
        _title(header),
        _devices(state),
        _panel("Going on", _open_table(state, shown_open, wide=wide), "red" if state.open_events else "dim"),
        _panel("Latest alerts", _latest_table(list(state.latest)[:room], wide=wide), "blue"),
        _counters(counters),
        *(
            Text(f"! {describe_problem(problem)}", style="yellow", no_wrap=True, overflow="ellipsis")
            for problem in state.problems
        ),
    )


def _title(header: Header) -> Text:
    title = Text.assemble(("edge-sdk watch", "bold"), "  ", header.scope, "  ")
    title.append(f"● {header.condition}", style="green" if header.is_connected else "bold red")
    title.no_wrap, title.overflow = True, "ellipsis"
    return title


def _devices(state: WatchState) -> Text:
    if not state.devices:
        return Text("no device has reported yet", style="dim")
    line = Text(no_wrap=True, overflow="ellipsis")
    # Those that are away come first: they are what a person should see.
    for name, condition in sorted(state.devices.items(), key=lambda item: (item[1] == "online", item[0])):
        colour = "green" if condition == "online" else "red"
        line.append("● ", style=colour).append(f"{name.site}/{name.device} ").append(
            f"{condition}   ", style=colour
        )
    return line


def _panel(title: str, table: RenderableType, style: str) -> Panel:
    return Panel(table, title=title, title_align="left", border_style=style, padding=(0, 1))


def _open_table(state: WatchState, most: int, *, wide: bool) -> RenderableType:
    if not state.open_events:
        return Text("nothing", style="dim")
    shown = list(state.open_events.values())[-most:][::-1]
    name_of = _namer([received.message for received in shown], wide=wide)
    table = _table("since", "device", "label", "peak score", "heard for", *(["dBFS"] if wide else []))
    for received in shown:
        alert = received.message
        lasted = duration_s(alert)
        table.add_row(
            clock_time(alert.started_at),
            _name(name_of(alert)),
            _name(alert.label, "bold"),
            _score(alert),
            "–" if lasted is None else f"{lasted:.1f} s",
            *([_level(alert)] if wide else []),
        )
    return table


def _latest_table(latest: Sequence[Received[Alert]], *, wide: bool) -> RenderableType:
    if not latest:
        return Text("none yet", style="dim")
    name_of = _namer([received.message for received in latest], wide=wide)
    more = ["dBFS"] if wide else []
    table = _table("UTC", "device", "label", "score", "event", "heard for", *more, "delay")
    for received in latest:
        alert = received.message
        latency, lasted = latency_s(alert, received.received_at), duration_s(alert)
        table.add_row(
            clock_time(told_time(alert)),
            _name(name_of(alert)),
            _name(alert.label, "bold"),
            _score(alert),
            _name(_event_text(alert), _TYPE_STYLES[alert.type]),
            "–" if lasted is None else f"{lasted:.1f} s",
            *([_level(alert)] if wide else []),
            "–" if latency is None or alert.type == "end" else f"{latency:.2f} s",
        )
    return table


def _namer(alerts: Iterable[Alert], *, wide: bool) -> Callable[[Alert], str]:
    """How devices are called in a table; where room is scarce and all are at one site, without it."""
    short = not wide and len({alert.site for alert in alerts}) == 1
    return lambda alert: alert.device if short else f"{alert.site}/{alert.device}"


def _event_text(alert: Alert) -> str:
    """The alert's type; of an end that was not the sound's own, the reason."""
    return alert.type if alert.end_reason in (None, "silence") else str(alert.end_reason)


def _table(*headings: str) -> Table:
    """Names shrink first where the terminal is narrow; numbers never do."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=0, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(
            heading,
            justify="right" if heading in _NUMBERS else "left",
            no_wrap=heading in _LEAST_WIDTHS,
            min_width=_LEAST_WIDTHS.get(heading),
        )
    return table


def _name(text: str, style: str = "") -> Text:
    """A cell that may be cut: its column may shrink, and the text never wraps."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _score(alert: Alert) -> Text:
    return Text.assemble((f"{alert.score:.2f}", "bold"), (f" ≥ {alert.threshold:.2f}", "dim"))


def _level(alert: Alert) -> str:
    return f"{alert.level_dbfs:.1f}" if isinstance(alert.level_dbfs, float) else "–"


def _counters(counters: Counters) -> Text:
    """What was counted; what goes wrong seldom is named only where it did."""
    line = Text.assemble("alerts ", (f"{counters.alerts}", "bold"))
    line.no_wrap, line.overflow = True, "ellipsis"
    for count, what, always in (
        (counters.duplicates, "duplicates", True),
        (counters.gaps, "gaps", True),
        (counters.missing, "missing", True),
        (counters.bad_payloads, "bad payloads", False),
        (counters.conflicts, "conflicts", False),
        (counters.overflowed, "not shown", False),
    ):
        if count or always:
            line.append(" · ").append(f"{what} {count}", style="bold yellow" if count else "dim")
    return line
