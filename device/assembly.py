"""A device from its configuration: everything is checked, then it listens."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.messages import ModelReference
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import EdgeSdkError
from edge_sdk.inference.fallback import Opened
from edge_sdk.inference.scorer import AudioScorer
from edge_sdk.mqtt.settings import BrokerSettings

from .config import RunConfig
from .fault_desk import FaultDesk
from .inference_settings import InferenceSettings
from .model_choice import open_model
from .outbox import Outbox
from .pipeline import Pipeline
from .publisher import Publisher
from .reported import bundle_reference, refused_choices, reported, self_test
from .rule_overrides import override_rules
from .run_summary import CoverageSummary, OutboxSummary, RunSummary, error_summary, event_line
from .runtime import Heard, Runtime
from .sources import Source, open_source
from .stamper import Stamper
from .watchdog import ServiceManager, Watchdog

__all__ = ["run_device"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a device is made of, checked and open."""

    config: RunConfig
    settings: BrokerSettings
    source: Source
    bundle: Bundle
    opened: Opened
    pipeline: Pipeline
    watchdog: Watchdog
    topics: Topics
    session: str


def run_device(
    config: RunConfig,
    *,
    drain_s: float,
    say: Callable[[str], None],
    settings: InferenceSettings | None = None,
) -> RunSummary:
    """Listen, decide, keep and publish until the source ends or SIGTERM or SIGINT comes.

    Source, bundle, golden samples, TLS files and outbox are checked before anything is heard. An
    unreachable broker stops nothing: alerts are kept.

    Args:
        config: Everything about it.
        drain_s: How long to wait at the end for what is not delivered yet.
        say: Told each line that a person should read, from several threads.
        settings: Who says what of ``config.inference``, so that an error can name the file.

    Returns:
        What came of it; a failure while listening is in there.

    Raises:
        EdgeSdkError: Something does not hold, and nothing was heard.
    """
    topics = Topics(config.device.site, config.device.name)
    broker_settings = _broker_settings(config)
    source = open_source(config.source)
    bundle = Bundle.open(config.bundle, require_sha256=config.require_sha256)
    manifest = bundle.manifest
    audio = manifest.audio  # before anything is loaded: pictures are refused
    if settings is not None:
        settings.choices(manifest)  # refuses what there is not, and names the file that asks for it
    rules = override_rules(manifest, config.rules)
    window_s = audio.window_samples / audio.sample_rate_hz
    watchdog = Watchdog(ServiceManager.from_environment(), config.watchdog, window_s=window_s)
    watchdog.status(f"loading {manifest.name} {manifest.version}")
    opened = _open_model(config, bundle, say)
    with opened.backend as backend:
        scorer = AudioScorer(audio, manifest.classes, manifest.label_ids, backend)
        variant = opened.choice.variant
        pipeline = Pipeline(scorer, rules, variant=variant, on_scores=watchdog.inspected)
        parts = _Parts(
            config, broker_settings, source, bundle, opened, pipeline, watchdog, topics, session=str(uuid4())
        )
        faults = FaultDesk(say, config.outbox_folder)
        with _open_outbox(parts, faults) as outbox:
            return _listen(parts, outbox, faults, drain_s, say)


def _open_model(config: RunConfig, bundle: Bundle, say: Callable[[str], None]) -> Opened:
    inference = config.inference
    return open_model(
        bundle,
        variant=inference.variant,
        backends=inference.backends,
        options=inference.options,
        golden=True,
        say=say,
        warn=_logger.warning,
        tell_at_once=True,
    )


def _open_outbox(parts: _Parts, faults: FaultDesk) -> Outbox:
    config = parts.config
    return Outbox.open(
        config.outbox_folder,
        site=parts.topics.site,
        device=parts.topics.device,
        broker=parts.settings.name,
        redirect=config.outbox.redirect_waiting,
        disk_budget_bytes=config.outbox.disk_budget_mb * 1_000_000,
        on_fault=faults.tell,
    )


def _listen(
    parts: _Parts, outbox: Outbox, faults: FaultDesk, drain_s: float, say: Callable[[str], None]
) -> RunSummary:
    stamper = _stamper(parts)
    rate_hz = parts.pipeline.sample_rate_hz
    publisher = _publisher(parts, outbox, faults.tell)
    runtime = Runtime(
        parts.source,
        parts.pipeline,
        outbox,
        stamper,
        sender=publisher,
        on_event=lambda event, started_at: say(event_line(event, started_at, rate_hz)),
        on_ending=parts.watchdog.stopping,
        drain_s=drain_s,
        window_s=parts.bundle.manifest.audio.window_samples / rate_hz,
    )
    faults.attach(runtime.fail)
    for line in _opening_lines(parts, outbox):
        say(line)
    restarted = len(outbox.recover(stamper.restarted))
    if restarted:
        say(f"ended now, because they were left open when the device died: {restarted} of its events")
    parts.watchdog.ready(lambda: _state(parts))
    heard = runtime.run()
    return _summary(parts, heard, _outbox_summary(parts, outbox, publisher), restarted)


def _state(parts: _Parts) -> str:
    """For who looks at the service."""
    covered, rate_hz = parts.pipeline.covered, parts.pipeline.sample_rate_hz
    heard = f"inspected {covered.inspected / rate_hz:.1f} of {covered.elapsed / rate_hz:.1f} s"
    return f"{parts.opened.choice} listens to {parts.source.name}: {heard}"


def _broker_settings(config: RunConfig) -> BrokerSettings:
    broker = config.broker
    return BrokerSettings.from_url(
        broker.url,
        user=broker.user,
        password_file=_path(broker.password_file),
        ca=_path(broker.ca),
        cert=_path(broker.cert),
        key=_path(broker.key),
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _stamper(parts: _Parts) -> Stamper:
    manifest, variant = parts.bundle.manifest, parts.opened.choice.variant
    model = ModelReference(
        name=manifest.name, version=manifest.version, variant=variant.name, sha256=variant.sha256
    )
    return Stamper(
        parts.topics,
        source=parts.source.name,
        rate_hz=parts.pipeline.sample_rate_hz,
        model=model,
        session=parts.session,
    )


def _publisher(parts: _Parts, outbox: Outbox, on_fault: Callable[[EdgeSdkError], None]) -> Publisher:
    broker = parts.config.broker
    return Publisher(
        outbox,
        parts.settings,
        parts.topics,
        parts.session,
        delivery=broker.effective_delivery,
        receiver_id=broker.receiver_id,
        reported=reported(
            parts.topics,
            parts.session,
            parts.bundle,
            parts.opened,
            kept_aside=outbox.kept_aside.name if outbox.kept_aside else None,
        ),
        on_fault=on_fault,
    )


def _opening_lines(parts: _Parts, outbox: Outbox) -> list[str]:
    bundle, config, golden = parts.bundle, parts.config, parts.opened.golden
    name = f"{bundle.manifest.name} {bundle.manifest.version}"
    broker = config.broker
    how = f"receipts of '{broker.receiver_id}'" if broker.effective_delivery == "receipt" else "puback"
    lines = [
        f"device {parts.topics.site}/{parts.topics.device}, session {parts.session}",
        f"bundle {name}, variant {parts.opened.choice}, sha256 {bundle.sha256[:12]}, unsigned",
        f"source {config.source}",
        f"broker {parts.settings.address}, delivery by {how}",
        f"outbox {config.outbox_folder}, {outbox.counts().pending} messages wait",
    ]
    if golden is not None:
        passed = f"largest difference {golden.max_abs_difference:.1e}, allowed {golden.bound:.1e}"
        lines.insert(2, "; ".join(filter(None, [f"self-test passed: {passed}", golden.ties])))
    if outbox.redirected_from is not None:
        lines.append(f"what waited for broker {outbox.redirected_from} goes to this one")
    if outbox.kept_aside is not None:
        lines.append(f"the outbox was damaged: it is kept as {outbox.kept_aside}, its messages are not sent")
    return lines


def _outbox_summary(parts: _Parts, outbox: Outbox, publisher: Publisher) -> OutboxSummary:
    counts = outbox.counts()
    return OutboxSummary(
        folder=str(parts.config.outbox_folder),
        sent=publisher.counts.sent,
        waiting=counts.pending,
        waiting_because=publisher.why_waiting if counts.pending else None,
        set_aside=counts.set_aside,
        rejected=counts.rejected,
        kept_aside=str(outbox.kept_aside) if outbox.kept_aside else None,
    )


def _summary(parts: _Parts, heard: Heard, outbox: OutboxSummary, restarted: int) -> RunSummary:
    covered, rate_hz = heard.covered, parts.pipeline.sample_rate_hz
    return RunSummary(
        bundle=bundle_reference(parts.bundle),
        variant=parts.opened.choice.variant.name,
        backend=parts.opened.choice.backend,
        refused=refused_choices(parts.opened),
        signed=False,
        self_test=self_test(parts.opened),
        site=parts.topics.site,
        device=parts.topics.device,
        session=parts.session,
        source=parts.source.name,
        ended=heard.ended,
        events=heard.events,
        restarted=restarted,
        overruns=heard.overruns,
        skipped_s=round(heard.skipped_s, 3),
        coverage=CoverageSummary(
            inspected_s=round(covered.inspected / rate_hz, 3),
            elapsed_s=round(covered.elapsed / rate_hz, 3),
            share=round(covered.inspected / covered.elapsed, 6) if covered.elapsed else 0.0,
            faults=dict(covered.faults),
        ),
        outbox=outbox,
        error=error_summary(heard.error),
    )
