from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from labelled_sounds import FRONT_END, spec_text
from msgspec import structs

from converters.spec import spec_file
from converters.spec.audio_table import LogMelSpec, windows_with_frames
from converters.spec.spec_file import load_spec
from edge_sdk.contract.audio import LogMel, Waveform, frame_count
from edge_sdk.errors import SpecError


def write(folder: Path, text: str) -> Path:
    path = folder / "spec.toml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str) -> SpecError:
    with pytest.raises(SpecError) as caught:
        load_spec(write(folder, text))
    return caught.value


def test_a_spec_becomes_whole_samples(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, spec_text()))
    assert spec.audio.front_end == FRONT_END
    assert (spec.audio.window_samples, spec.audio.step_samples) == (8000, 2000)
    assert spec.label_ids == ("saw", "shot")
    assert [label.name for label in spec.labels] == ["Saw", "Gun shot"]
    assert set(spec.rules) == {"saw", "shot"}
    assert spec.rules["saw"].release == 0.5


def test_the_example_in_the_documentation_holds(tmp_path: Path) -> None:
    documented = (spec_file.__doc__ or "").split("A complete one::")[1].split("A model that looks")[0]
    spec = load_spec(write(tmp_path, textwrap.dedent(documented)))
    assert spec.rules["gunshot"].within_samples == 32_000
    assert spec.rules["chainsaw"].hits == 2  # the default rule


def test_every_parameter_of_the_front_end_can_be_set() -> None:
    derived = {"sample_rate_hz"}  # stands one level up
    ours = {field.name for field in structs.fields(LogMelSpec)}
    assert ours == {field.name for field in structs.fields(LogMel)} - derived


def test_defaults_of_the_front_end_are_the_contracts() -> None:
    contract = {field.name: field.default for field in structs.fields(LogMel)}
    required_there = ("win_length", "fmin_hz", "fmax_hz")
    for field in structs.fields(LogMelSpec):
        if not field.required and field.name not in required_there:
            assert field.default == contract[field.name], field.name


def test_without_a_spectrogram_the_model_takes_the_waveform(tmp_path: Path) -> None:
    assert load_spec(write(tmp_path, spec_text(log_mel=False))).audio.front_end == Waveform(
        sample_rate_hz=8000
    )


def test_top_db_of_zero_switches_it_off(tmp_path: Path) -> None:
    front_end = load_spec(write(tmp_path, spec_text() + "top_db = 0\n")).audio.front_end
    assert isinstance(front_end, LogMel)
    assert front_end.top_db is None


@pytest.mark.parametrize(
    ("wrong", "right", "nearest"),
    [
        ("[defualt_rule]", "[default_rule]", "default_rule"),
        ("treshold", "threshold", "threshold"),
        ("n_mel =", "n_mels =", "n_mels"),
        ("sample_rate =", "sample_rate_hz =", "sample_rate_hz"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(
    tmp_path: Path, wrong: str, right: str, nearest: str
) -> None:
    error = refusal(tmp_path, spec_text().replace(right, wrong))
    assert "unknown key" in error.message
    assert nearest in (error.hint or "")
    assert error.exit_code == 2


def test_a_step_that_does_not_fit_the_hop_names_the_nearest(tmp_path: Path) -> None:
    error = refusal(tmp_path, spec_text().replace("step_s = 0.25", "step_s = 0.255"))
    assert "2000 samples (0.2500 s) or 2080 samples (0.2600 s)" in error.message


def test_a_step_longer_than_the_window_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, spec_text().replace("step_s = 0.25", "step_s = 1.5"))
    assert "never be heard" in error.message


def test_window_in_samples_and_in_seconds_is_a_contradiction(tmp_path: Path) -> None:
    error = refusal(tmp_path, spec_text().replace("window_s = 1.0", "window_s = 1.0\nwindow_samples = 8000"))
    assert "either window_s or window_samples" in error.message


def test_a_rule_for_no_label_is_refused_with_the_nearest(tmp_path: Path) -> None:
    error = refusal(tmp_path, spec_text() + "[rules.shoot]\nthreshold = 0.5\n")
    assert error.hint == "did you mean 'shot'?"


def test_hits_that_cannot_lie_within_the_stretch_are_refused(tmp_path: Path) -> None:
    rule = "[rules.shot]\nthreshold = 0.5\nhits = 4\nwithin_s = 1.5\n"
    error = refusal(tmp_path, spec_text() + rule)
    assert "4 windows cannot lie within 1.5 s" in error.message
    assert error.hint == "within_s must be at least 1.75"


def test_release_above_threshold_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, spec_text() + "[rules.shot]\nthreshold = 0.5\nrelease = 0.6\n")
    assert "release 0.6 is above threshold 0.5" in error.message


def test_softmax_with_independent_labels_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, spec_text(activation="softmax"))
    assert "exclusive = true" in (error.hint or "")


def test_the_same_label_twice_is_refused(tmp_path: Path) -> None:
    assert "'saw' appears twice" in refusal(tmp_path, spec_text().replace('"shot"', '"saw"')).message


def test_the_same_label_twice_in_a_file_is_refused_by_the_lines(tmp_path: Path) -> None:
    names = [f"thing {index}" for index in range(998)]
    (tmp_path / "labels.txt").write_text("\n".join(["Crane", *names, "crane"]))
    error = refusal(tmp_path, 'labels_file = "labels.txt"\n' + without_labels())
    assert "labels 1 and 1000 are both 'crane'" in error.message
    assert "label_set = 'imagenet'" in (error.hint or "")


def test_a_labels_file_that_is_not_there_is_said_to_be_looked_for_beside_the_spec(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'labels_file = "nope.txt"\n' + without_labels())
    assert error.message == f"there is no labels_file {tmp_path / 'nope.txt'}"
    assert "the folder that the spec is in" in (error.hint or "")


def test_labels_of_imagenet_come_with_the_background_that_older_models_have_first(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, 'label_set = "imagenet_background"\n' + without_labels()))
    assert (len(spec.label_ids), spec.label_ids[0], spec.label_ids[264]) == (1001, "background", "pembroke")


def without_labels() -> str:
    before, after = spec_text().split("[[labels]]")[0], spec_text().split("[default_rule]")[1]
    return f"{before}[default_rule]{after}"


def test_an_id_that_cannot_be_part_of_a_topic_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path, spec_text().replace('id = "saw"', 'id = "Chain/Saw"'))


def test_labels_can_stand_in_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("Saw\nGunshot, gunfire\n")
    text = spec_text().split("[[labels]]")[0] + "[default_rule]" + spec_text().split("[default_rule]")[1]
    spec = load_spec(write(tmp_path, 'labels_file = "labels.txt"\n' + text))
    assert spec.label_ids == ("saw", "gunshot_gunfire")
    assert spec.labels[1].name == "Gunshot, gunfire"


@pytest.mark.parametrize(
    ("name", "content"),
    [("labels.txt", "Saw\n\nGunshot\n"), ("labels.csv", "name\nSaw\n\nGunshot\n")],
)
def test_an_empty_line_among_labels_is_refused(tmp_path: Path, name: str, content: str) -> None:
    """Skipped, it would give every label behind it another output of the model."""
    (tmp_path / name).write_text(content)
    text = spec_text().split("[[labels]]")[0] + "[audio]" + spec_text().split("[audio]", 1)[1]
    assert (
        "is empty, and the labels behind it" in refusal(tmp_path, f'labels_file = "{name}"\n' + text).message
    )


def test_yamnets_own_class_map_reads_as_it_is(tmp_path: Path, shared_data: Path) -> None:
    class_map = shared_data / "models" / "yamnet" / "yamnet_class_map.csv"
    text = spec_text().split("[[labels]]")[0] + "[audio]" + spec_text().split("[audio]", 1)[1]
    spec = load_spec(write(tmp_path, f'labels_file = "{class_map}"\n' + text))
    assert len(spec.labels) == 521
    assert spec.labels[0].name == "Speech"
    assert "chainsaw" in spec.label_ids
    assert spec.rules == {}


def test_a_class_map_in_another_order_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("index,mid,display_name\n1,/m/1,Saw\n0,/m/0,Shot\n")
    text = spec_text().split("[[labels]]")[0] + "[audio]" + spec_text().split("[audio]", 1)[1]
    error = refusal(tmp_path, 'labels_file = "labels.csv"\n' + text)
    assert "index 1 stands in row 0" in error.message


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("frames", [1, 2, 97])
def test_windows_that_give_a_number_of_frames_are_found(*, center: bool, frames: int) -> None:
    front_end = structs.replace(FRONT_END, center=center)
    lengths = windows_with_frames(front_end, frames)
    assert lengths
    assert {frame_count(front_end, length) for length in lengths} == {frames}
    assert frame_count(front_end, lengths[-1] + 1) == frames + 1
