"""Are a detector's numbers read as they are meant? Its answers are also read in the other usual ways.

An order of y and x, a unit or a form that is wrong gives boxes that are merely elsewhere, which no
shape tells. So the boxes of the trained model are held against true ones, as the spec reads them and
otherwise. Where another reading is clearly better, the spec is refused and the reading named, unless
that is accepted. Few pictures come first; only what looks better on these is tried on more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from edge_sdk.console.progress import Progress
from edge_sdk.contract.detector import CandidateBoxes, DetectionOutput
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array, Detections
from edge_sdk.decode.detections import DetectionDecoder
from edge_sdk.errors import BackendError, ModelError, SpecError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.image.placement import Placement

from ..data.even_choice import spread
from ..data.picture_set import Picture, PictureSet
from .box_reading import Decoded, ReadBoxes, is_large_gain, told_figures, weigh_boxes
from .case import Case
from .exchanged_labels import exchanged_labels
from .picture_reader import PictureReader, read_boxes, refusing_spec
from .preparation_check import FIRST_PICTURES, MOST_PICTURES
from .readings import other_readings
from .turned_boxes import TurnedBoxes
from .weighing import compare, is_promising

__all__ = ["check_decoding"]

_MOST_NAMED = 3
_NEARLY = 0.8
_CANDIDATES = 1000
"""More go into suppression only where a threshold is very low; readings are many."""
_LEAST_FOUND = 0.05
_UNTOLD = (
    "check under [detector] what a box's numbers are (form, units, order), where the classes start, the "
    "background and the activations; and the order of the labels"
)


def check_decoding(
    case: Case[PictureSet],
    image: ImageInput,
    output: DetectionOutput,
    reader: PictureReader,
    turned: TurnedBoxes,
    progress: Progress,
) -> Decoded:
    """Refuse a spec whose boxes are found better where their numbers are read otherwise.

    Args:
        case: The model, and the pictures that judge: those with a label are shown to it.
        image: What it is fed.
        output: How the spec reads it.
        reader: Asks the model.
        turned: What is left out of its boxes.
        progress: Told how far it is.

    Raises:
        SpecError: Nothing is found, or another reading is clearly better and that is not accepted.
        BackendError: The model cannot be run.
    """
    others = other_readings(output, image)
    pictures, read = _read_promising(case, {"": output} | others, reader, progress)
    spec = read.pop("")
    if not spec.map50:
        raise _blind(case, pictures, spec, read, turned)
    return Decoded(pictures, spec, _settle(case, spec, read, turned, tried=max(1, len(others))))


def _read_promising(
    case: Case[PictureSet],
    outputs: Mapping[str, DetectionOutput],
    reader: PictureReader,
    progress: Progress,
) -> tuple[PictureSet, dict[str, ReadBoxes]]:
    """The pictures, and what is found in them as the spec says (under ``""``) and by what looks better."""
    labelled = [picture for picture in case.evaluation.samples if picture.labels]
    decoders = _decoders(outputs, reader)
    pictures = PictureSet(case.evaluation.root, case.spec.label_ids, ())
    read: dict[str, ReadBoxes] = {}
    for most in (FIRST_PICTURES, MOST_PICTURES):
        chosen = spread(labelled, most)
        pictures = PictureSet(case.evaluation.root, case.spec.label_ids, tuple(chosen))
        found = _read_all(chosen, decoders, reader, progress)
        read = {name: weigh_boxes(pictures, boxes, case.spec.thresholds) for name, boxes in found.items()}
        spec = read[""]
        read = {
            name: item for name, item in read.items() if not name or is_promising(spec.weighed, item.weighed)
        }
        decoders = {name: decoders[name] for name in read}
        if len(chosen) == len(labelled) or (len(read) == 1 and spec.map50):
            break
    return pictures, read


def _decoders(outputs: Mapping[str, DetectionOutput], reader: PictureReader) -> dict[str, DetectionDecoder]:
    """Those of readings that the tensors allow."""
    decoders = {name: _try_decoder(output, reader, must=not name) for name, output in outputs.items()}
    return {name: decoder for name, decoder in decoders.items() if decoder is not None}


def _try_decoder(output: DetectionOutput, reader: PictureReader, *, must: bool) -> DetectionDecoder | None:
    try:
        return reader.decoder(_quick(output))
    except ModelError:
        if must:
            raise
        return None


def _quick(output: DetectionOutput) -> DetectionOutput:
    if isinstance(output, CandidateBoxes) and output.most_candidates > _CANDIDATES:
        return structs.replace(output, most_candidates=_CANDIDATES)
    return output


def _read_all(
    pictures: Sequence[Picture],
    decoders: Mapping[str, DetectionDecoder],
    reader: PictureReader,
    progress: Progress,
) -> dict[str, list[Detections]]:
    """Boxes by reading, a picture each; a reading that its numbers do not allow is left out."""
    found: dict[str, list[Detections]] = {name: [] for name in decoders}
    for picture in progress.track(pictures, "checking the decoding"):
        answers, placement = reader.ask(read_picture(picture.path))
        for name in tuple(found):
            boxes = _try_read(decoders[name], answers, placement, must=not name)
            if boxes is None:
                del found[name]
            else:
                found[name].append(boxes)
    return found


def _try_read(
    decoder: DetectionDecoder, answers: Mapping[str, Array], placement: Placement, *, must: bool
) -> Detections | None:
    try:
        return read_boxes(decoder, answers, placement)
    except (ModelError, BackendError) as error:
        if must:
            raise refusing_spec(error, answers) from error
        return None


def _blind(
    case: Case[PictureSet],
    pictures: PictureSet,
    spec: ReadBoxes,
    read: Mapping[str, ReadBoxes],
    turned: TurnedBoxes,
) -> SpecError:
    """Of a detector that finds nothing all variants agree, and its golden samples are empty."""
    best = _best([name for name in read if read[name].map50 >= _LEAST_FOUND], read)
    told = _told(best, read)
    hint = _UNTOLD
    exchanged = exchanged_labels(pictures, spec.found)
    if best:
        hint = f"set under [detector] {best[0]}"
    elif exchanged is not None:
        told = exchanged.told()
        hint = f"{exchanged.hint()}; or, where labels are colours, look at color under [image]"
    if turned.are_many:
        told = "; ".join(filter(None, (told, turned.told())))
    return SpecError(
        f"{case.source.name}, read as the spec says, finds none of the {len(spec.weighed.right)} boxes "
        f"in {len(pictures.samples)} pictures of the evaluation set (mAP50 0){f'; {told}' if told else ''}",
        hint=hint,
    )


def _settle(
    case: Case[PictureSet], spec: ReadBoxes, read: Mapping[str, ReadBoxes], turned: TurnedBoxes, tried: int
) -> list[str]:
    """Refuse what is surely better, and warn of what is likely so."""
    told: dict[bool, list[str]] = {True: [], False: []}
    names = sorted(read, key=lambda name: -read[name].weighed.figure)
    for name in names:
        sure = _is_sure(spec, read[name], tried)
        if sure is not None:
            told[sure].append(name)
    said = f"as the spec says {told_figures(spec)}"
    refused, likely = (_told(_best(names, read), read) for names in (told[True], told[False]))
    found = [f"its boxes are found better otherwise: {refused}; {said}"] if refused else []
    if turned.are_many:
        found.append(turned.told())
    if found:
        hint = f"set under [detector] {told[True][0]}" if refused else "look at coding under [detector]"
        case.acceptance.take({"decoding": "; ".join(found)}, hint)
    doubts = [f"{likely}; {said}"] if likely else []
    if turned.are_some and not turned.are_many:
        doubts.append(turned.told())
    return [f"[detector] in the spec may be wrong: {doubt}" for doubt in doubts]


def _is_sure(spec: ReadBoxes, other: ReadBoxes, tried: int) -> bool | None:
    """Whether another reading is surely better; None where it is not even likely."""
    compared = compare(spec.weighed, other.weighed, tried)
    if is_large_gain(spec, other, compared) or compared.is_sure(resize=False):
        return True
    return False if compared.is_likely else None


def _best(names: Sequence[str], read: Mapping[str, ReadBoxes]) -> list[str]:
    """The best, and what is nearly as good: of square boxes an order of sides is not to be told."""
    ranked = sorted(names, key=lambda name: -read[name].weighed.figure)
    least = _NEARLY * read[ranked[0]].weighed.figure if ranked else 0.0
    return [name for name in ranked if read[name].weighed.figure >= least][:_MOST_NAMED]


def _told(names: Sequence[str], read: Mapping[str, ReadBoxes]) -> str:
    return "; ".join(f"with {name}, {told_figures(read[name])}" for name in names)
