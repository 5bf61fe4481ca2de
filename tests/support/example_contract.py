"""One example of everything in the contract, with every field set to something telling."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from msgspec import structs

from edge_sdk.contract.audio import LogMel
from edge_sdk.contract.bundle import file_digest
from edge_sdk.contract.detector import Axis, CandidateBoxes, Grid, OffsetCoding, Part, Scale
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import (
    AudioInput,
    BuildCheck,
    BuildRefusal,
    ClassesOutput,
    ExpectedScores,
    FrameRule,
    Golden,
    Label,
    Manifest,
    Metric,
    Provenance,
    Rule,
    SourceFile,
    Stage,
    Variant,
)
from edge_sdk.contract.messages import (
    Alert,
    BundleReference,
    Clock,
    Coverage,
    Dropped,
    ModelReference,
    Probe,
    Receipt,
    RefusedChoice,
    Reported,
    SelfTest,
    SourceCoverage,
    Status,
)
from edge_sdk.contract.values import Array

SESSION = "6f1c1f0e-3a52-4c8e-9a53-0d6a2f3b7c11"
EVENT_ID = "01936a2e-7c1b-7d3a-8f00-1c2d3e4f5a6b"
EPOCH = "00ff00ff00ff00ff"
MODEL_SHA256 = "ab" * 32


def example_members() -> dict[str, bytes]:
    """Members of the example bundle; the model is no model, for nothing here runs it."""
    scores = np.array([[0.0, 1.0]], dtype=np.float32)
    return {
        "models/example.tflite": b"not a model",
        "golden/inputs.npy": npy(np.zeros((1, 16_000), dtype=np.float32)),
        "golden/expected.npy": npy(scores),
        "golden/tflite-float32.npy": npy(scores),
        "report.json": b"{}",
    }


def npy(array: Array) -> bytes:
    """The array as the content of an ``.npy`` file."""
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def example_manifest(members: Mapping[str, bytes] | None = None) -> Manifest:
    """The manifest of the example bundle."""
    members = example_members() if members is None else members
    model = file_digest(members["models/example.tflite"])
    return Manifest(
        name="forest-sounds",
        version="1.2.0",
        task="classify",
        modality="audio",
        labels=[Label(id="chainsaw", name="Chainsaw"), Label(id="gunshot", name="Coup de fusil")],
        inputs=[example_input()],
        stages=[Stage(name="classify", variants=["tflite-float32"])],
        outputs=[ClassesOutput(activation="sigmoid")],
        rules={"gunshot": example_rule()},
        variants=[
            Variant(
                name="tflite-float32",
                file="models/example.tflite",
                format="tflite",
                precision="float32",
                sha256=model.sha256,
                bytes=model.bytes,
                metric=Metric(name="macro_auc", value=0.97, n=80, low=0.9, high=0.99),
                drop=0.0,
                agreement=1.0,
                max_abs_difference=1e-6,
                golden=ExpectedScores(file="golden/tflite-float32.npy", bound=1e-4),
            )
        ],
        golden=Golden(
            inputs="golden/inputs.npy", expected="golden/expected.npy", label_ids=["chainsaw", "gunshot"]
        ),
        files={name: file_digest(content) for name, content in members.items()},
        provenance=Provenance(
            source_models=[SourceFile(name="forest.keras", sha256="cd" * 32)],
            calibration=SourceFile(name="calibration", sha256="ef" * 32, n=40),
            evaluation=SourceFile(name="evaluation", sha256="01" * 32, n=80),
            libraries={"keras": "3.15.1"},
        ),
        description="Chainsaws and gunshots.",
    )


def example_detector() -> Manifest:
    """The same bundle's manifest, had its model found animals in pictures."""
    listening = example_manifest()
    return structs.replace(
        listening,
        name="forest-animals",
        task="detect",
        modality="image",
        inputs=[ImageInput(width=416, height=320, resize="letterbox", std=(255.0,))],
        outputs=[example_candidates()],
        rules={},
        frame_rules={"gunshot": FrameRule(threshold=0.5)},
        variants=[
            structs.replace(
                variant,
                golden=structs.replace(variant.golden, least_iou=0.9),
                build_check=BuildCheck(
                    tool="TensorRT-RTX",
                    version="1.7.1.116",
                    passed=False,
                    refusals=[BuildRefusal(operator="MelWeightMatrix", node="mel", reason="no importer")],
                ),
            )
            for variant in listening.variants
        ],
    )


def example_candidates() -> CandidateBoxes:
    """Two scales, as YOLO v3 has them."""
    coarse = Grid(rows=10, columns=13, anchors=[(81.0, 82.0)])
    fine = Grid(rows=20, columns=26, anchors=[(10.0, 14.0)])
    axes: list[Axis] = ["batch", "anchors_values", "rows", "columns"]
    return CandidateBoxes(
        scales=[
            Scale(
                box=Part(tensor=name, axes=axes),
                objectness=Part(tensor=name, axes=axes, start=4),
                classes=Part(tensor=name, axes=axes, start=5),
                grids=[grid],
            )
            for name, grid in (("coarse", coarse), ("fine", fine))
        ],
        coding=OffsetCoding(center_activation="sigmoid", size_unit="anchor"),
        class_activation="sigmoid",
        objectness_activation="sigmoid",
    )


def example_input() -> AudioInput:
    """One second of 16 kHz sound as a log-mel spectrogram."""
    front_end = LogMel(
        sample_rate_hz=16_000,
        n_fft=512,
        win_length=400,
        hop=160,
        n_mels=64,
        fmin_hz=125.0,
        fmax_hz=7_500.0,
        mel_scale="htk",
        center=False,
        db_ref="max",
        clip=(-60.0, 40.0),
    )
    return AudioInput(sample_rate_hz=16_000, window_samples=16_000, step_samples=4_000, front_end=front_end)


def example_rule() -> Rule:
    """Two hits within two seconds."""
    return Rule(
        threshold=0.8,
        release=0.5,
        hits=2,
        within_samples=32_000,
        min_gap_samples=16_000,
        max_duration_samples=480_000,
        update_every_samples=160_000,
    )


def example_messages() -> dict[str, Alert | Status | Coverage | Dropped | Reported | Receipt | Probe]:
    """One message of each kind, by the name of its schema."""
    return {
        "alert": Alert(
            event_id=EVENT_ID,
            type="end",
            device="box-07",
            site="north",
            epoch=EPOCH,
            seq=42,
            session=SESSION,
            modality="audio",
            label="gunshot",
            score=0.93,
            threshold=0.8,
            started_at="2026-11-22T04:05:06.789Z",
            ended_at="2026-11-22T04:05:09.039Z",
            end_reason="silence",
            source="mic://default",
            model=ModelReference(
                name="forest-sounds", version="1.2.0", variant="tflite-float32", sha256=MODEL_SHA256
            ),
            clock=Clock(source="ntp", synced=True),
            boot_id="2c0d6f9e",
            uptime_s=86_400.5,
            level_dbfs=-23.5,
            count=2,
            location=(-3.25, 29.75),
        ),
        "status": Status(state="online", device="box-07", site="north", session=SESSION),
        "coverage": Coverage(
            device="box-07",
            site="north",
            epoch=EPOCH,
            seq=43,
            session=SESSION,
            started_at="2026-11-22T04:00:00.000Z",
            ended_at="2026-11-22T04:10:00.000Z",
            sources=[
                SourceCoverage(
                    source="mic://default", inspected_s=598.25, elapsed_s=600.0, faults={"overrun": 1}
                )
            ],
        ),
        "dropped": Dropped(
            device="box-07",
            site="north",
            epoch=EPOCH,
            seq=44,
            ranges=[(5, 9), (12, 12)],
            counts={"alert": 6},
        ),
        "reported": Reported(
            device="box-07",
            site="north",
            session=SESSION,
            bundle=BundleReference(name="forest-sounds", version="1.2.0", sha256=MODEL_SHA256),
            variant="tflite-float32",
            signed=False,
            versions={"edge-sdk": "0.1.0"},
            self_test=SelfTest(passed=True, max_abs_difference=1e-6, bound=1e-4),
            backend="tflite",
            refused=[
                RefusedChoice(
                    variant="onnx-float16", backend="tensorrt", reason="no engine was built of it here"
                )
            ],
        ),
        "receipt": Receipt(receiver_id="server-1", epoch=EPOCH, ranges=[(1, 42)], rejected=[(43, 43)]),
        "probe": Probe(session=SESSION, nonce="a1b2c3"),
    }
