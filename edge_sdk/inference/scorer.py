"""Sound in, scores out: resampling, front end, model and decoding as one object.

The converter, the evaluation and the device all use this one, in calibration and in the field, so
that a model is always fed what it was proved with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..contract.audio import Waveform, feature_shape
from ..contract.manifest import AudioInput, ClassesOutput
from ..contract.values import AudioBlock, AudioWindow, Float32Array, Gap, TensorSpec, WindowScores
from ..decode.classes import decode_classes
from ..decode.finite import all_finite
from ..errors import InputError, ModelError, SourceError
from ..signal.log_mel import LogMelExtractor
from ..signal.resample import StreamResampler
from ..signal.sliding import sliding_front_end
from .backend import Backend, describe_tensor
from .label_scores import LabelScores
from .output_name import classes_output_name
from .tensor_fit import fit_shape
from .timeline import Timeline

__all__ = ["AudioScorer"]


class AudioScorer:
    """Scores the overlapping windows of a stream, or single windows.

    One object, one thread, one source. The backend stays the caller's to close.

    Args:
        audio: The manifest's input.
        output: The manifest's output.
        label_ids: The manifest's labels, in the order of the model's outputs.
        backend: The loaded model.

    Raises:
        ModelError: Input or output of the model do not fit the manifest; names both shapes.
        UsageError: Window and step do not fit the front end.
    """

    def __init__(
        self, audio: AudioInput, output: ClassesOutput, label_ids: Sequence[str], backend: Backend
    ) -> None:
        self.audio = audio
        self.label_ids = tuple(label_ids)
        self._columns = {label_id: column for column, label_id in enumerate(self.label_ids)}
        self._output = output
        self._backend = backend
        spec = _input_spec(audio, backend)
        self._input_name = spec.name
        self._input_shape = fit_shape(spec, feature_shape(audio.front_end, audio.window_samples))
        self._output_name = classes_output_name(output.name, backend, len(self.label_ids))
        self._extract = None if isinstance(audio.front_end, Waveform) else LogMelExtractor(audio.front_end)
        self.reset()

    @property
    def position(self) -> int:
        """Samples at the model's rate since the start of the source, gaps included."""
        return self._timeline.position

    def reset(self) -> None:
        """Begin with another source at position 0."""
        audio = self.audio
        self._sliding = sliding_front_end(audio.front_end, audio.window_samples, audio.step_samples)
        self._timeline = Timeline(audio.sample_rate_hz)
        self._rate_hz = audio.sample_rate_hz
        self._resampler = StreamResampler(audio.sample_rate_hz, audio.sample_rate_hz)
        self._next_sample = 0
        self._interrupted = False

    def push(self, item: AudioBlock | Gap) -> Iterator[WindowScores]:
        """Take sound or a gap, and score the windows that are now complete.

        The sound is taken at once, each window is scored when it is asked for: see :meth:`windows`
        and :meth:`score`.
        """
        return map(self.score, self.windows(item))

    def finish(self) -> Iterator[WindowScores]:
        """Score what is left: the source has ended, and the last window ends with it."""
        return map(self.score, self.flush())

    def windows(self, item: AudioBlock | Gap) -> list[AudioWindow]:
        """Take sound or a gap, and give the model inputs that are now complete.

        The last window before a gap ends with it; the first one behind it begins with the first sample.

        Raises:
            SourceError: The sound holds something that is no finite number.
        """
        if isinstance(item, Gap):
            windows = self.flush()
            self._timeline.advance(item.samples, item.sample_rate_hz)
            return windows
        _require_finite(item.samples)
        if self._interrupted:
            self._resume()
        windows = self._change_rate(item.sample_rate_hz) if item.sample_rate_hz != self._rate_hz else []
        self._timeline.advance(len(item.samples), item.sample_rate_hz)
        return windows + self._slide(self._resampler.process(item.samples))

    def flush(self) -> list[AudioWindow]:
        """Give the windows that the resampler's last samples complete, and the one that ends with the sound.

        What follows begins anew.
        """
        windows = self._slide(self._resampler.flush()) + self._sliding.finish()
        self._interrupted = True
        return windows

    def score(self, window: AudioWindow) -> WindowScores:
        """Run the model on one window.

        Raises:
            BackendError: The engine failed, or an output is no finite number.
        """
        scores = self._infer(window.features.reshape(self._input_shape))
        stop = window.start + self.audio.window_samples
        by_label = LabelScores(self._columns, scores)
        return WindowScores(window.start, stop, by_label, window.level_dbfs)

    def score_window(self, samples: Float32Array) -> Float32Array:
        """Score one window on its own.

        Args:
            samples: Sound at the model's rate, float32, shape ``[window_samples]``.

        Returns:
            Scores 0..1 in the order of the labels, shape ``[labels]``.

        Raises:
            InputError: Not one window of finite samples.
            BackendError: The engine failed, or an output is no finite number.
        """
        return self._infer(self.tensor_for_window(samples))

    def tensor_for_window(self, samples: Float32Array) -> Float32Array:
        """What the model is fed for one window, with its batch axis: also for calibration.

        Raises:
            InputError: Not one window of finite samples.
        """
        if samples.shape != (self.audio.window_samples,) or not np.isfinite(samples).all():
            raise InputError(
                f"a window must be {self.audio.window_samples} finite samples; this has shape "
                f"{list(samples.shape)}"
            )
        features = samples.astype(np.float32) if self._extract is None else self._extract(samples)
        return features.reshape(self._input_shape)

    def _infer(self, tensor: Float32Array) -> Float32Array:
        answers = self._backend.infer({self._input_name: tensor})
        return decode_classes(answers[self._output_name], self._output, len(self.label_ids))

    def _resume(self) -> None:
        # Resampling may have given one sample more than the clock; positions never go back.
        self._next_sample = max(self._next_sample, self._timeline.nearest)
        self._sliding.reset(self._next_sample)
        self._interrupted = False

    def _change_rate(self, rate_hz: int) -> list[AudioWindow]:
        """Go on at another rate; what the old resampler held back comes first."""
        windows = self._slide(self._resampler.flush())
        self._rate_hz = rate_hz
        self._resampler = StreamResampler(rate_hz, self.audio.sample_rate_hz)
        return windows

    def _slide(self, samples: Float32Array) -> list[AudioWindow]:
        self._next_sample += len(samples)
        return self._sliding.push(samples)


def _require_finite(samples: Float32Array) -> None:
    if all_finite(samples):
        return
    where = int(np.flatnonzero(~np.isfinite(samples))[0])
    raise SourceError(
        f"sample {where} of a block of {len(samples)} is {samples[where]}, not a number",
        hint="the recording or its driver is damaged; silence would have been zeros",
    )


def _input_spec(audio: AudioInput, backend: Backend) -> TensorSpec:
    named = [spec for spec in backend.inputs if audio.name in ("", spec.name)]
    if len(backend.inputs) != 1 or not named:
        listed = ", ".join(describe_tensor(spec) for spec in backend.inputs)
        raise ModelError(f"the model must take one tensor {audio.name!r}, but takes {listed}")
    if named[0].dtype != "float32":
        raise ModelError(f"the model must take float32, but takes {describe_tensor(named[0])}")
    return named[0]
