from dataclasses import replace

import pytest

from ops.checks import BINARY_TYPES, RULES, Deployment, Function, Queue, Severity
from serving.settings import Settings

SOUND = Deployment(
    classify=Function(
        timeout=29, memory=1769, storage=512, environment={"RESULTS_PREFIX": "r/", "UPLOADS_PREFIX": "u/"}
    ),
    uploads=Function(
        timeout=60, memory=1769, storage=512, environment={"RESULTS_PREFIX": "r/", "UPLOADS_PREFIX": "u/"}
    ),
    queue=Queue(visibility=360, max_receives=12, partial_failures=True, told=True, prefix="u/", failed=0),
    binary_types=frozenset(BINARY_TYPES),
    versioned=True,
)


def findings(deployment, rule):
    return [(finding.severity, finding.what, finding.remedy) for finding in RULES[rule](deployment)]


def changed(part, **fields):
    return replace(SOUND, **{part: replace(getattr(SOUND, part), **fields)})


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_content_with_a_sound_deployment(rule):
    assert findings(SOUND, rule) == []


@pytest.mark.parametrize(
    ("rule", "deployment", "severity", "what"),
    [
        (
            "settings",
            changed("uploads", environment={"UPLOADS_PREFIX": "r/new/", "RESULTS_PREFIX": "r/"}),
            "error",
            "neither",
        ),
        ("settings", changed("classify", environment={"MAX_BATCH": "none"}), "error", "MAX_BATCH"),
        ("prefixes", changed("classify", environment={"UPLOADS_PREFIX": "other/"}), "error", "other/"),
        ("prefixes", changed("queue", prefix="photos/"), "error", "photos/"),
        ("prefixes", changed("queue", told=False), "error", "nothing tells the queue"),
        ("binary media types", replace(SOUND, binary_types=BINARY_TYPES - {"image/webp"}), "error", "image/webp"),
        ("binary media types", replace(SOUND, binary_types=frozenset({"*/*"})), "warning", "base64"),
        ("timeouts", changed("classify", timeout=60), "warning", "504 after 29 s"),
        ("timeouts", changed("classify", timeout=3), "warning", "cold start"),
        ("queue", changed("queue", visibility=359), "error", "359 s"),
        ("queue", changed("queue", partial_failures=False), "error", "whole batch"),
        ("queue", changed("queue", max_receives=None), "error", "lost"),
        ("queue", changed("queue", max_receives=1), "warning", "1 receives"),
        ("queue", changed("queue", failed=1200), "warning", "1,200 uploads"),
        ("uploads bucket", replace(SOUND, versioned=False), "warning", "no versions"),
        ("memory and image size", changed("classify", memory=512), "warning", "512 MB"),
        ("memory and image size", changed("uploads", image_bytes=11 * 2**30), "error", "11.0 GiB"),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(rule, deployment, severity, what):
    ((found, said, remedy),) = findings(deployment, rule)
    assert found is Severity(severity)
    assert what in said
    assert remedy


def test_a_function_that_would_never_begin_anything_is_an_error():
    assert [severity for severity, _, _ in findings(changed("uploads", timeout=5), "timeouts")] == ["warning", "error"]


def test_a_bucket_of_which_nothing_is_known_is_not_judged():
    assert findings(replace(SOUND, versioned=None), "uploads bucket") == []
    assert findings(changed("queue", prefix=None), "prefixes") == []


def test_the_sound_deployment_starts():
    assert Settings.from_environment(SOUND.classify.environment).uploads_prefix == "u/"
