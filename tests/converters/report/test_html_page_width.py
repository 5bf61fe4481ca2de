"""The page as a browser lays it out: nothing is cut off, on a laptop or on a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec import structs

from converters.report.html_page import render_report
from converters.report.kernel_figures import KernelFigures
from converters.report.report_file import LabelReport, PictureSummary, Report, ShareReport, VariantReport
from converters.variants.recipes import RECIPES
from edge_sdk.contract.manifest import BuildCheck, Metric, Provenance, SourceFile

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MEASURE = """<script>document.title = [document.documentElement, ...document.querySelectorAll(".wide")]
.map(box => box.scrollWidth - box.clientWidth).join(" ")</script>"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


SHARE = ShareReport(value=0.97, hits=1796, n=1799, low=0.95, high=0.99)
METRIC = Metric(name="accuracy", value=0.9755, n=2000, low=0.968, high=0.982)
FILE = SourceFile(name="evaluation", sha256="0" * 64)


def of_label(hits: int) -> LabelReport:
    return LabelReport(
        label="potted_plant",
        threshold=0.5,
        recall=structs.replace(SHARE, hits=hits),
        specificity=SHARE,
        precision=SHARE,
        balanced_accuracy=0.97,
        auc=0.999,
        auc_low=0.99,
        auc_high=1.0,
    )


def variant(name: str, hits: int = 1795) -> VariantReport:
    """With all that there can be to tell of it."""
    return VariantReport(
        name=name,
        outcome="passed",
        metric=METRIC,
        more_metrics=[Metric(name="top5", value=0.9995, n=2000)],
        drop=0.0005,
        agreement=0.9995,
        max_abs_difference=3.5e-2,
        bytes=231_000,
        worst_label="potted_plant",
        worst_label_drop=0.005,
        labels=[of_label(hits)],
        float_layers=["StatefulPartitionedCall/digits/dense_1/MatMul"],
        default_kernels=KernelFigures(
            drop=0.0, agreement=1.0, max_abs_difference=7.1e-4, golden_difference=0.0, verified=True
        ),
        build_check=BuildCheck(tool="TensorRT-RTX", version="1.7.1.116", passed=True),
    )


def full_report() -> Report:
    """Every variant; none decides as the source does."""
    return Report(
        name="digits",
        version="0.1.0",
        metric_meaning="what it means",
        max_drop=0.01,
        evaluation=PictureSummary(
            pictures=2000,
            pictures_by_label={"potted_plant": 2000},
            background_pictures=0,
            labels_without_pictures=[],
        ),
        source=variant("float source", hits=1796),
        variants=[variant(name) for name in RECIPES],
        golden_samples=["a.png"],
        warnings=[],
        provenance=Provenance(source_models=[FILE], evaluation=FILE, libraries={}),
    )


def overflows(folder: Path, width_px: int) -> list[int]:
    """By how many pixels the page and its tables are wider than there is room."""
    page = folder / "report.html"
    page.write_text(render_report(full_report()).replace("</body>", f"{MEASURE}</body>"))
    words = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", "--dump-dom"]
    command = [str(BROWSER), *words, f"--window-size={width_px},900", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    title = re.search(r"<title>([-\d ]+)</title>", done.stdout)
    assert title is not None, done.stderr
    return [int(number) for number in title[1].split()]


def test_on_a_laptop_every_table_is_seen_whole(tmp_path: Path) -> None:
    assert set(overflows(tmp_path, 1280)) == {0}


def test_on_a_phone_tables_scroll_and_the_page_does_not(tmp_path: Path) -> None:
    page, *tables = overflows(tmp_path, 420)
    assert page == 0
    assert max(tables) > 0
