"""What a device tells of itself: what it runs, what that was checked for, and what does not work on it."""

from __future__ import annotations

import platform

from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.messages import BundleReference, RefusedChoice, Reported, SelfTest
from edge_sdk.contract.topics import Topics
from edge_sdk.inference.fallback import Opened

from .library_versions import inference_versions, installed_versions

__all__ = ["bundle_reference", "refused_choices", "reported", "self_test"]

_LONGEST_REASON = 300  # characters; a library may tell a page, and a retained message is kept by the broker


def reported(
    topics: Topics, session: str, bundle: Bundle, opened: Opened, *, kept_aside: str | None
) -> Reported:
    """The message of that name.

    Args:
        topics: Site and device.
        session: UUID of this process.
        bundle: What is run ...
        opened: ... and how.
        kept_aside: Name of an outbox that was found damaged.
    """
    return Reported(
        device=topics.device,
        site=topics.site,
        session=session,
        bundle=bundle_reference(bundle),
        variant=opened.choice.variant.name,
        signed=False,
        versions=_versions(),
        self_test=self_test(opened),
        kept_aside=kept_aside,
        backend=opened.choice.backend,
        refused=refused_choices(opened),
    )


def bundle_reference(bundle: Bundle) -> BundleReference:
    """A bundle by name and by content."""
    return BundleReference(name=bundle.manifest.name, version=bundle.manifest.version, sha256=bundle.sha256)


def self_test(opened: Opened) -> SelfTest | None:
    """What the golden samples gave, where they were run."""
    golden = opened.golden
    if golden is None:
        return None
    return SelfTest(passed=golden.passed, max_abs_difference=golden.max_abs_difference, bound=golden.bound)


def refused_choices(opened: Opened) -> list[RefusedChoice]:
    """What was to be run before it."""
    return [
        RefusedChoice(
            variant=one.choice.variant.name,
            backend=one.choice.backend,
            reason=one.reason if len(one.reason) <= _LONGEST_REASON else f"{one.reason[:_LONGEST_REASON]}...",
        )
        for one in opened.refused
    ]


def _versions() -> dict[str, str]:
    from edge_sdk import __version__

    own = {"edge-sdk": __version__, "python": platform.python_version()}
    return own | inference_versions() | installed_versions(("soxr", "paho-mqtt"))
