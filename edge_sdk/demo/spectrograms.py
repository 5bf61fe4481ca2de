"""Spectrogram pictures: what was staged, what the model saw, what a subscriber received."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..contract.audio import LogMel
from ..contract.values import Float32Array
from ..errors import MissingExtraError
from ..signal.log_mel import LogMelExtractor
from .verdict import HeardEvent, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_spectrograms"]

_COLOURS = {"chainsaw": "#c1121f", "gunshot": "#e09f3e", "engine": "#00798c", "storm": "#6c757d"}
_OTHER = "#7b2cbf"
_MISSED = "white"
_AROUND_S = 3.0
_DPI = 110
_COMPRESSION = 1  # a fifth larger than the default, in a fraction of the time


def draw_spectrograms(
    samples: Float32Array, front_end: LogMel, verdict: Verdict, events: Sequence[HeardEvent], folder: Path
) -> list[Path]:
    """Draw the soundscape as the model's log-mel between a lane of staged and one of heard sounds.

    One picture of the whole, and one of each staged sound from near. A sound that was missed is
    drawn hollow.

    Args:
        samples: Mono, at the model's rate, shape ``[n]``.
        front_end: The model's spectrogram.
        verdict: For the staged sounds.
        events: What a subscriber received.
        folder: PNG files are written there.

    Returns:
        The files.

    Raises:
        MissingExtraError: The plotting library is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "demo") from error
    features = LogMelExtractor(front_end)(samples)
    picture = features if front_end.layout == "mel_time" else features.T
    seconds = samples.size / front_end.sample_rate_hz
    figure = Figure(figsize=(14, 5), layout="constrained")
    FigureCanvasAgg(figure)
    lanes = figure.subplots(3, 1, sharex=True, height_ratios=[1, 8, 1])
    staged = [
        (sound.label_id, sound.start_s, sound.stop_s, event is not None) for sound, event in verdict.heard
    ]
    _draw_lane(lanes[0], "staged", staged)
    lanes[1].imshow(picture, aspect="auto", origin="lower", extent=(0.0, seconds, 0.0, 1.0), cmap="magma")
    lanes[1].set(ylabel="mel bands", yticks=[])
    _draw_lane(lanes[2], "heard", [(event.label_id, event.start_s, event.stop_s, True) for event in events])
    figure.suptitle("What was staged, what the model saw, what a subscriber received")
    views = {"soundscape.png": (0.0, seconds)}
    for number, sound in enumerate((sound for sound, _ in verdict.heard), 1):
        near = (max(0.0, sound.start_s - _AROUND_S), min(seconds, sound.stop_s + _AROUND_S))
        views[f"staged-{number}-{sound.label_id}.png"] = near
    for name, (start_s, stop_s) in views.items():
        lanes[2].set(xlabel="seconds", xlim=(start_s, stop_s))
        figure.savefig(folder / name, dpi=_DPI, pil_kwargs={"compress_level": _COMPRESSION})
        figure.set_layout_engine("none")  # the first one's layout serves them all
    return [folder / name for name in views]


def _draw_lane(axes: Axes, title: str, spans: Iterable[tuple[str, float, float, bool]]) -> None:
    for label_id, start_s, stop_s, filled in spans:
        colour = _COLOURS.get(label_id, _OTHER)
        axes.barh(0, stop_s - start_s, left=start_s, color=colour if filled else _MISSED, edgecolor=colour)
        axes.text(start_s, 0.55, label_id, fontsize=9, color=colour, verticalalignment="bottom", clip_on=True)
    axes.set(ylim=(-0.5, 1.2), yticks=[0], yticklabels=[title])
    axes.spines[:].set_visible(False)
