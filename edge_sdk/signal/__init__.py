"""Sound before the model: the same arithmetic on the workstation and in the field.

For training on exactly what a device will feed the model::

    from converters import load_spec
    from edge_sdk.signal import recording_features

    audio = load_spec("forest.toml").audio
    starts, features = recording_features("clips/chainsaw/1.wav", audio)

:func:`recording_features` gives all windows of a recording. :func:`read_mono` and
:class:`LogMelExtractor` do it in two steps, for samples that are to be augmented between them.
:class:`AudioInput` with :class:`LogMel` or :class:`Waveform` says what is wanted where there is no
spec yet.

The modules:

- :mod:`.mel`: mel filterbanks
- :mod:`.log_mel`: the log-mel spectrogram of one window
- :mod:`.sliding`: a stream of samples into overlapping windows, work shared between them
- :mod:`.resample`: a stream of samples to another rate (soxr)
- :mod:`.audio_file`: WAV, FLAC and OGG files as streams of mono blocks (soundfile)
- :mod:`.whole_recording`: all of it, for one recording

Importing this package loads nothing until a name is used; soxr and soundfile are loaded by the
first object that needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..contract.audio import LogMel, Waveform
    from ..contract.manifest import AudioInput
    from .audio_file import read_mono
    from .log_mel import LogMelExtractor
    from .whole_recording import RecordingFeatures, recording_features

_HOMES = {
    "AudioInput": "edge_sdk.contract.manifest",
    "LogMel": "edge_sdk.contract.audio",
    "LogMelExtractor": "edge_sdk.signal.log_mel",
    "RecordingFeatures": "edge_sdk.signal.whole_recording",
    "Waveform": "edge_sdk.contract.audio",
    "read_mono": "edge_sdk.signal.audio_file",
    "recording_features": "edge_sdk.signal.whole_recording",
}

__all__ = [
    "AudioInput",
    "LogMel",
    "LogMelExtractor",
    "RecordingFeatures",
    "Waveform",
    "read_mono",
    "recording_features",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge_sdk.signal' has no attribute {name!r}")
