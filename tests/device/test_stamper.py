from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

import msgspec
from msgspec.structs import replace

from device.host_clock import SystemHostClock
from device.stamper import Stamper
from edge_sdk.contract.messages import Alert, ModelReference, SourceCoverage, decode_message, encode_message
from edge_sdk.contract.topics import Topics
from edge_sdk.contract.values import Event

RATE_HZ = 16_000
EPOCH = "0123456789abcdef"
MODEL = ModelReference(name="forest-sounds", version="1.0.0", variant="tflite-int8", sha256="0" * 64)
MIDNIGHT = datetime(2019, 5, 22, tzinfo=timezone.utc)
HEARD = Event(
    type="new",
    label_id="chainsaw",
    start=RATE_HZ * 60,
    stop=RATE_HZ * 62,
    score=0.9,
    threshold=0.5,
    level_dbfs=-20.5,
    decided_at=RATE_HZ * 62,
)


class FieldClock:
    """A box whose clock was never set, one hour after boot."""

    boot_id = "b0071d00-0000-4000-8000-000000000000"

    def now(self) -> datetime:
        return datetime(1970, 1, 1, 1, tzinfo=timezone.utc)

    def uptime_s(self) -> float:
        return 3600.0

    def synced(self) -> bool:
        return True


def stamper(clock: FieldClock | None = None) -> Stamper:
    return Stamper(
        Topics("sungai-utik", "box-07"),
        source="dawn.wav",
        rate_hz=RATE_HZ,
        model=MODEL,
        session="11111111-2222-4333-8444-555555555555",
        host=clock or FieldClock(),
    )


def test_alert_carries_everything_and_keeps_the_contract() -> None:
    stamp = stamper()
    stamp.start(MIDNIGHT, "file_name")
    alert = stamp.alert(HEARD)(EPOCH, 7)
    assert decode_message(encode_message(alert), Alert) == alert
    assert (alert.site, alert.device, alert.epoch, alert.seq) == ("sungai-utik", "box-07", EPOCH, 7)
    assert (alert.started_at, alert.ended_at) == ("2019-05-22T00:01:00.000Z", "2019-05-22T00:01:02.000Z")
    assert (alert.label, alert.score, alert.threshold, alert.level_dbfs) == ("chainsaw", 0.9, 0.5, -20.5)
    assert (alert.boot_id, alert.uptime_s) == (FieldClock.boot_id, 3600.0)
    assert alert.model == MODEL


def test_all_alerts_of_one_event_share_id_and_start_and_the_next_event_does_not() -> None:
    stamp = stamper()
    stamp.start(MIDNIGHT, "file_name")
    steps = [
        HEARD,
        replace(HEARD, type="update", stop=HEARD.stop + RATE_HZ),
        replace(HEARD, type="end", end_reason="silence"),
    ]
    alerts = [stamp.alert(step)(EPOCH, seq) for seq, step in enumerate(steps, 1)]
    assert len({(alert.event_id, alert.started_at) for alert in alerts}) == 1
    again = stamp.alert(replace(HEARD, start=HEARD.start + 1))(EPOCH, 4)
    other = stamp.alert(replace(HEARD, label_id="gunshot"))(EPOCH, 5)
    assert len({alerts[0].event_id, again.event_id, other.event_id}) == 3


def test_wall_time_does_not_drift_and_starts_anew_where_the_source_says_so() -> None:
    stamp = stamper()
    stamp.start(MIDNIGHT, "file_name")
    day = 86_400 * RATE_HZ
    assert stamp.wall_time(30 * day) == MIDNIGHT + timedelta(days=30)
    stamp.resume(10 * RATE_HZ, MIDNIGHT + timedelta(hours=1))
    assert stamp.wall_time(10 * RATE_HZ - 1) < MIDNIGHT + timedelta(seconds=10)
    assert stamp.wall_time(11 * RATE_HZ) == MIDNIGHT + timedelta(hours=1, seconds=1)


def test_an_event_over_a_gap_keeps_the_start_it_was_announced_with() -> None:
    stamp = stamper()
    stamp.start(MIDNIGHT, "file_name")
    announced = stamp.alert(HEARD)(EPOCH, 1)
    stamp.resume(HEARD.stop, MIDNIGHT + timedelta(hours=1))
    ended = stamp.alert(replace(HEARD, type="end", stop=HEARD.stop + RATE_HZ, end_reason="silence"))(EPOCH, 2)
    assert ended.started_at == announced.started_at
    assert ended.ended_at == "2019-05-22T01:00:01.000Z"


def test_a_clock_is_vouched_for_only_where_time_came_from_it() -> None:
    live, recorded = stamper(), stamper()
    live.start(None, "system")
    recorded.start(MIDNIGHT, "file_name")
    assert live.alert(HEARD)(EPOCH, 1).clock.synced
    assert live.alert(HEARD)(EPOCH, 1).started_at == "1970-01-01T01:01:00.000Z"
    assert not recorded.alert(HEARD)(EPOCH, 1).clock.synced


def test_digital_silence_has_no_level() -> None:
    stamp = stamper()
    stamp.start(MIDNIGHT, "file_name")
    alert = stamp.alert(replace(HEARD, level_dbfs=-math.inf))(EPOCH, 1)
    assert b"level_dbfs" not in encode_message(alert)


def test_an_event_left_open_by_a_crash_ends_with_its_own_id_start_and_peak() -> None:
    before, after = stamper(), stamper()
    before.start(MIDNIGHT, "file_name")
    last = before.alert(HEARD)(EPOCH, 1)
    after.session = "99999999-2222-4333-8444-555555555555"
    ended = after.restarted(last)(EPOCH, 2)
    assert (ended.type, ended.end_reason, ended.seq) == ("end", "restarted", 2)
    assert (ended.event_id, ended.started_at, ended.score) == (last.event_id, last.started_at, last.score)
    assert ended.ended_at == last.ended_at
    assert ended.session == after.session


def test_coverage_spans_the_interval_even_if_a_recorders_clock_was_set_back() -> None:
    stamp = stamper()
    stamp.start(MIDNIGHT, "file_name")
    stamp.resume(10 * RATE_HZ, MIDNIGHT - timedelta(days=1))
    heard = SourceCoverage(source="dawn.wav", inspected_s=19.0, elapsed_s=20.0, faults={"overrun": 1})
    message = stamp.coverage(0, 20 * RATE_HZ, [heard])(EPOCH, 3)
    assert message.sources == [heard]
    assert message.started_at <= message.ended_at
    assert decode_message(encode_message(message), type(message)) == message


def test_this_machine_has_one_boot_id_and_an_uptime() -> None:
    assert SystemHostClock().boot_id == SystemHostClock().boot_id
    first = SystemHostClock().uptime_s()
    assert 0 < first <= SystemHostClock().uptime_s()
    assert isinstance(SystemHostClock().synced(), bool)
    assert msgspec.json.encode(SystemHostClock().boot_id)
