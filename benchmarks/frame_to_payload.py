"""From a decoded frame to the bytes of its alerts, against the engine call inside that step.

    python benchmarks/frame_to_payload.py [--steps N] [--models FOLDER] [--json]

Each step takes one frame (uint8 BGR, as a camera or a video gives it) through preparation, model,
decoding and threshold to JSON, one alert for each box, or one for a classifier's best label, and
gives one ratio: the whole step to the bare call of the engine that it contains (``run`` of ONNX
Runtime, ``invoke`` of TFLite). The table shows medians. One thread.

The models are FastestDet and the two of `picture_models.py`: EfficientNet-Lite0, and a detector with
its backbone and a head that nothing has trained. Photos are Pascal VOC's; frames of 1280 x 720 are
those of a street camera's video, enlarged before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy loads

from picture_alerts import AlertWriter
from picture_models import CLASSIFIER, CLASSIFIER_SIDE, DETECTOR, DETECTOR_SIDE

from converters.spec.detector_heads import head_preset
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import ClassesOutput
from edge_sdk.contract.values import Pixels
from edge_sdk.image.opencv import load_opencv
from edge_sdk.image.picture_file import read_picture
from edge_sdk.image.video_file import read_video
from edge_sdk.inference.engine import EngineBackend
from edge_sdk.inference.image_classifier import ImageClassifier
from edge_sdk.inference.image_detector import ImageDetector
from edge_sdk.inference.onnx import OnnxEngine
from edge_sdk.inference.tflite import TFLiteEngine

WARM_UP = 10
PICTURES = 16
_SKIPPED = 77  # automake's exit code for a test that cannot run here; `make bench` goes on


class CallClock:
    """Puts itself in the place of an engine's own function, and notes how long the last call took."""

    def __init__(self, owner: Any, name: str) -> None:
        self._call = getattr(owner, name)
        setattr(owner, name, self)
        self.took_s = 0.0

    def __call__(self, *arguments: Any) -> Any:
        """Call the engine."""
        began = time.perf_counter()
        answer = self._call(*arguments)
        self.took_s = time.perf_counter() - began
        return answer


class Model(NamedTuple):
    """A loaded model, and everything from a frame to its alerts."""

    name: str
    engine: str
    clock: CallClock
    step: Callable[[Pixels], list[bytes]]


class Result(NamedTuple):
    """One line of the table."""

    model: str
    engine: str
    frames: str
    step_us: float
    engine_us: float
    overhead_us: float
    ratio: float
    aim: float
    alerts_per_frame: float


def fastestdet(data: Path) -> Model:
    """FastestDet as its authors give it, with their threshold."""
    folder = data / "models/fastestdet"
    image = ImageInput(
        width=352, height=352, layout="nchw", color="bgr", std=(255.0,), interpolation="opencv_bilinear"
    )
    engine = OnnxEngine(
        (folder / "FastestDet.onnx").read_bytes(), threads=1, reference_kernels=False, name="FastestDet"
    )
    clock = CallClock(engine._session, "run")  # noqa: SLF001 - the clock goes inside
    backend = EngineBackend("FastestDet", engine)
    step = detect_step(image, "fastestdet", coco_labels(data), backend, threshold=0.65)
    return Model("FastestDet, 352 px", "ONNX Runtime", clock, step)


def lite0_detector(data: Path, models: Path) -> Model:
    """The detector of `picture_models.py`."""
    image = ImageInput(width=DETECTOR_SIDE, height=DETECTOR_SIDE, mean=(127.0,), std=(128.0,))
    backend, clock = load_tflite(models / DETECTOR)
    step = detect_step(image, "yolox", coco_labels(data), backend, threshold=0.3)
    return Model(f"Lite0 and YOLOX head, {DETECTOR_SIDE} px", "TFLite", clock, step)


def lite0_classifier(models: Path) -> Model:
    """EfficientNet-Lite0; the best label of each frame makes an alert, however sure."""
    image = ImageInput(width=CLASSIFIER_SIDE, height=CLASSIFIER_SIDE, mean=(127.0,), std=(128.0,))
    backend, clock = load_tflite(models / CLASSIFIER)
    labels = [f"imagenet_{number}" for number in range(1000)]
    classifier = ImageClassifier(image, ClassesOutput(activation="softmax"), labels, backend)
    alerts = AlertWriter("efficientnet-lite0", threshold=0.0)

    def step(frame: Pixels) -> list[bytes]:
        scores = classifier.score(frame)
        best = int(scores.argmax())
        return [alerts.whole_frame(alerts.stamp(), labels[best], float(scores[best]))]

    return Model(f"EfficientNet-Lite0, {CLASSIFIER_SIDE} px", "TFLite", clock, step)


def detect_step(
    image: ImageInput, head: str, labels: list[str], backend: EngineBackend, *, threshold: float
) -> Callable[[Pixels], list[bytes]]:
    """Everything from a frame to the alerts of a detector."""
    output = head_preset(head, image, len(labels), backend.outputs)
    detector = ImageDetector(image, output, labels, backend, least_score=threshold)
    alerts = AlertWriter(head, threshold=threshold)

    def step(frame: Pixels) -> list[bytes]:
        found = detector.detect(frame)
        stamp = alerts.stamp()
        size = (frame.shape[1], frame.shape[0])
        rows = zip(found.labels.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
        return [
            alerts.box(stamp, labels[label], score, box, size)
            for label, score, box in rows
            if score >= threshold
        ]

    return step


def load_tflite(path: Path) -> tuple[EngineBackend, CallClock]:
    """A model on one thread, with the clock inside."""
    engine = TFLiteEngine(path.read_bytes(), threads=1, reference_kernels=False, name=path.stem)
    clock = CallClock(engine._interpreter, "invoke")  # noqa: SLF001 - the clock goes inside
    return EngineBackend(path.stem, engine), clock


def coco_labels(data: Path) -> list[str]:
    """Ids of the 80 classes."""
    names = (data / "models/fastestdet/coco.names").read_text(encoding="utf-8").split("\n")
    return [name.strip().replace(" ", "_") for name in names if name.strip()]


def photos(data: Path) -> list[Pixels]:
    """Photos as they are, about 500 x 375 pixels."""
    paths = sorted((data / "images/voc100/images").glob("*.jpg"))
    return [read_picture(path) for path in paths[:PICTURES]]


def video_frames(data: Path) -> list[Pixels]:
    """Frames of a video, a second apart, as a 720p camera would give them."""
    cv = load_opencv()
    picked = islice(read_video(data / "video/vtest.avi"), 0, 10 * PICTURES, 10)
    return [cv.resize(frame.pixels, (1280, 720), interpolation=cv.INTER_CUBIC) for frame in picked]


def measure(model: Model, frames: str, pictures: list[Pixels], aim: float, steps: int) -> Result:
    """Time so many steps; each frame is copied just before, as one that was just decoded."""
    step_times, engine_times, alerts = [], [], 0
    for count, picture in enumerate(islice(cycle(pictures), WARM_UP + steps)):
        frame = picture.copy()
        began = time.perf_counter()
        payloads = model.step(frame)
        step_s = time.perf_counter() - began
        if count >= WARM_UP:
            step_times.append(step_s)
            engine_times.append(model.clock.took_s)
            alerts += len(payloads)
    pairs = list(zip(step_times, engine_times, strict=True))
    return Result(
        model.name,
        model.engine,
        frames,
        step_us=1e6 * statistics.median(step_times),
        engine_us=1e6 * statistics.median(engine_times),
        overhead_us=1e6 * statistics.median(step - engine for step, engine in pairs),
        ratio=statistics.median(step / engine for step, engine in pairs),
        aim=aim,
        alerts_per_frame=alerts / steps,
    )


def measure_all(data: Path, models: Path, steps: int) -> Iterator[Result]:
    """All lines of the table; one model is loaded at a time."""
    voc, street = photos(data), video_frames(data)
    cv = load_opencv()
    fitted = [cv.resize(photo, (CLASSIFIER_SIDE, CLASSIFIER_SIDE)) for photo in voc]
    detector = fastestdet(data)
    yield measure(detector, "photos", voc, 1.28, steps)
    yield measure(detector, "1280 x 720", street, 1.28, steps)
    detector = lite0_detector(data, models)
    yield measure(detector, "photos", voc, 1.10, steps)
    yield measure(detector, "1280 x 720", street, 1.10, steps)
    classifier = lite0_classifier(models)
    yield measure(classifier, f"{CLASSIFIER_SIDE} x {CLASSIFIER_SIDE}", fitted, 1.06, steps)
    yield measure(classifier, "1280 x 720", street, 1.12, steps)


def require_data() -> Path:
    """Where models and pictures are; ends the program where they are not."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    data = Path(os.environ.get("EDGE_SDK_DATA", default))
    for needed in ("models/fastestdet", "images/voc100", "video/vtest.avi"):
        if not (data / needed).exists():
            print(f"skipped: there is no {data / needed}; set EDGE_SDK_DATA", file=sys.stderr)
            sys.exit(_SKIPPED)
    return data


def make_models(folder: Path) -> None:
    """Make the models that are not in the folder yet, in a process of their own."""
    if not all((folder / name).is_file() for name in (CLASSIFIER, DETECTOR)):
        script = Path(__file__).with_name("picture_models.py")
        subprocess.run([sys.executable, str(script), str(folder)], check=True)


def _print_table(results: Iterable[Result]) -> None:
    print("a decoded frame to the payloads of its alerts, one thread; medians in µs")
    print(
        f"{'model':<31} {'engine':<13} {'frames':<11} {'step':>7} {'engine':>7} {'over':>6} "
        f"{'ratio':>6} {'aim':>5} alerts"
    )
    for line in results:
        print(
            f"{line.model:<31} {line.engine:<13} {line.frames:<11} {line.step_us:7.0f} {line.engine_us:7.0f} "
            f"{line.overhead_us:6.0f} {line.ratio:6.3f} {line.aim:5.2f} {line.alerts_per_frame:.1f}",
            flush=True,
        )


def main() -> None:
    """Measure all models on all frames."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=200, help="steps for each line of the table")
    parser.add_argument("--models", type=Path, help="keep the models here, and take them from here")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    data, steps = require_data(), max(1, arguments.steps)
    with tempfile.TemporaryDirectory() as temporary:
        models = arguments.models or Path(temporary)
        make_models(models)
        results = measure_all(data, models, steps)
        if arguments.json:
            rows = [line._asdict() for line in results]
            print(
                json.dumps(
                    {"benchmark": "frame_to_payload", "threads": 1, "steps": steps, "results": rows}, indent=2
                )
            )
        else:
            _print_table(results)


if __name__ == "__main__":
    main()
