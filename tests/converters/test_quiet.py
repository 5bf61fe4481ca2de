"""A user sees our lines, not TensorFlow's, whoever loaded it; and later what others have to say."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from converters.quiet import quiet_libraries


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)


def test_libraries_that_log_and_print_are_not_heard_and_our_own_lines_are() -> None:
    given = run(
        "import logging, os, sys, warnings\n"
        "from converters.quiet import quiet_libraries\n"
        "with quiet_libraries():\n"
        "    logging.warning('logged'); logging.getLogger('absl').error('logged')\n"
        "    warnings.warn('warned'); print('printed'); os.write(2, b'written'); os.write(1, b'written')\n"
        "    print('ours', file=sys.stderr)\n"
    )
    assert (given.stdout, given.stderr) == ("", "ours\n")


def test_what_is_logged_after_a_library_was_loaded_quietly_is_seen_whole() -> None:
    """absl's handler is made when it is imported, with the stream that there was then."""
    given = run(
        "import logging\n"
        "from converters.quiet import quiet_libraries\n"
        "with quiet_libraries():\n"
        "    import absl.logging\n"
        "    logging.basicConfig()\n"
        "with quiet_libraries():\n"
        "    absl.logging.warning('not heard')\n"
        "absl.logging.error('heard from absl')\n"
        "logging.error('heard from an application')\n"
    )
    lines = given.stderr.splitlines()
    assert len(lines) == 2
    assert "heard from absl" in lines[0]
    assert "heard from an application" in lines[1]


def test_tensorflow_that_somebody_else_loaded_is_silenced_too() -> None:
    given = run(
        "import tensorflow\n"
        "from converters.quiet import import_tensorflow\n"
        "assert import_tensorflow() is tensorflow\n"
        "tensorflow.get_logger().warning('chatter')\n"
        "print(tensorflow.get_logger().level)\n"
    )
    assert given.stdout == f"{logging.ERROR}\n"
    assert "chatter" not in given.stderr


@pytest.mark.parametrize("level", [logging.NOTSET, logging.INFO])
def test_an_applications_own_limit_on_messages_is_restored(level: int) -> None:
    logging.disable(level)
    try:
        with quiet_libraries():
            assert logging.root.manager.disable == logging.CRITICAL
        assert logging.root.manager.disable == level
    finally:
        logging.disable(logging.NOTSET)
