"""Content → one HTML file that needs nothing else: what it shows of it, in which words, and under which policy."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from model.decision import Decision
from model.image import Limits
from training.problems import counted
from training.report import captions, plots
from training.report.acceptance import Accepted, accepted, accepted_of, page_data, ranked, unlike
from training.report.content import Content, Copy, LabelFigures, Mistake, Rate, Suspect
from training.report.matrix import readable
from training.report.sentences import Label, percent
from training.report.steps import next_steps
from training.report.thumbnails import Thumbnail, overlay, thumbnail
from training.report.verdict import GOOD, good_labels, judge
from training.sources.listing import shown as path_shown

TEMPLATES = Path(__file__).parent / "templates"
MOST_MISTAKES, MOST_SUSPECTS, MOST_GROUPS = 15, 30, 24  # pictures make the page heavy: about 8 kB each
MOST_COPIES = 4  # of one group
MOST_PAIRS = 6
MOST_ROWS = 25  # of the table of labels; the rest is folded
NEVER = 1001  # the slider's last place: no answer is accepted


@dataclass(frozen=True)
class Shown:
    """Something with a picture."""

    of: Mistake | Suspect | Copy
    shown: str  # its path, as it is written
    thumbnail: Thumbnail | None
    overlay: str | None = None


@dataclass(frozen=True)
class LabelRow:
    of: LabelFigures
    number: int  # of the label, in score order
    accepted: Accepted | None
    least: int  # of the slider, in thousandths
    least_said: str


@dataclass(frozen=True)
class Group:
    copies: tuple[Shown, ...]
    more: int
    mixed: bool  # it has different labels


def render(content: Content, limits: Limits = Limits()) -> str:
    """Write the page. Images that cannot be read any more leave their places empty."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"percent": percent, "counted": counted, "rate": _rate}
    environment.tests["label"] = lambda part: isinstance(part, Label)
    values = {
        **_pictures(content, limits),
        **_figures(content),
        "scores": Markup(_scores(content)),  # noqa: S704 - numbers
        **_facts(content),
        "plots": {name: Markup(drawing) for name, drawing in _drawings(content).items()},  # noqa: S704 - drawn here, of numbers
        "style": Markup(style),  # noqa: S704 - our own files
        "script": Markup(script),  # noqa: S704
        "policy": _policy(style, script),
    }
    return environment.get_template("report.html").render(values, sections=_sections(values))


def _policy(style: str, script: str) -> str:
    """Only this page's own style and script, and pictures inside it: no label or file name can add anything."""
    hashes = (f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (style, script))
    return "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'".format(
        *hashes
    )


def _rate(rate: Rate) -> str:
    """As the page's script writes it."""
    return f"{100 * rate.value:.1f}\u00a0%" if rate.n else "–"


def _scores(content: Content) -> str:
    return json.dumps(page_data(content, content.thresholds), separators=(",", ":")) if content.thresholds else ""


def pictures_of(content: Content) -> list[Path]:
    """The images that the page shows."""
    copies = [copy for group in _groups(content) for copy in group[:MOST_COPIES]]
    shown: list[Mistake | Suspect | Copy] = [
        *content.mistakes[:MOST_MISTAKES],
        *content.suspects[:MOST_SUSPECTS],
        *copies,
    ]
    return [of.path for of in shown]


def _groups(content: Content) -> list[tuple[Copy, ...]]:
    """Near-duplicates that are shown, contradictions first."""
    return sorted(content.duplicates, key=lambda copies: len({copy.label for copy in copies}) == 1)[:MOST_GROUPS]


def _pictures(content: Content, limits: Limits) -> dict[str, Any]:
    def shown(of: Mistake | Suspect | Copy) -> Shown:
        small = thumbnail(of.path, limits)
        evidence = of.evidence if isinstance(of, Mistake) else None
        laid = overlay(evidence, small) if small and evidence is not None else None
        return Shown(of, path_shown(content.root, of.path), small, laid)

    def group(copies: Sequence[Copy]) -> Group:
        few = tuple(shown(copy) for copy in copies[:MOST_COPIES])
        return Group(few, len(copies) - len(few), len({copy.label for copy in copies}) > 1)

    mistakes = [shown(mistake) for mistake in content.mistakes[:MOST_MISTAKES]]
    return {
        "mistakes": mistakes,
        "maps": any(mistake.overlay for mistake in mistakes),
        "passed": sum(mistake.decision is Decision.ACCEPTED for mistake in content.mistakes),
        "suspects": [shown(suspect) for suspect in content.suspects[:MOST_SUSPECTS]],
        "leaking": any(len({copy.tested for copy in copies}) > 1 for copies in content.duplicates),
        "groups": [group(copies) for copies in _groups(content)],
    }


def _figures(content: Content) -> dict[str, Any]:
    thresholds = content.thresholds
    rows = _label_rows(content)
    return {
        "content": content,
        "origin": content.origin,
        "verdict": judge(content),
        "steps": next_steps(content),
        "accuracy": content.tested.accuracy,
        "accepted": accepted(content.judged, thresholds) if thresholds else None,
        "trusted": accepted(content.tested, thresholds) if thresholds else None,
        "unlike": unlike(content.tested, thresholds) if thresholds else None,
        "movable": thresholds is not None,
        "bar": GOOD,
        "good": len(good_labels(content)),
        "figures": rows,
        "most_rows": MOST_ROWS,
        "matrix": readable(content.judged.confusion, content.labels),
        "pairs": content.confusions[:MOST_PAIRS],
    }


def _label_rows(content: Content) -> list[LabelRow]:
    thresholds = content.thresholds
    answers = ranked(content.judged, thresholds) if thresholds else []

    def row(figures: LabelFigures) -> LabelRow:
        number = content.labels.index(figures.label)
        if thresholds is None:
            return LabelRow(figures, number, None, 0, "")
        least = thresholds.labels[number]
        place, said = (NEVER, "never") if least is None else (round(1000 * least), f"from {100 * least:.1f}\u00a0%")
        return LabelRow(figures, number, accepted_of(answers[number], least), place, said)

    return [row(figures) for figures in content.figures]


def _drawings(content: Content) -> dict[str, str]:
    curve, calibration, unfamiliar = content.curve, content.calibration, content.unfamiliar
    return {
        "curve": plots.curve_plot(curve) if curve else "",
        "calibration": plots.calibration_plot(calibration) if calibration else "",
        "distances": plots.distance_plot(unfamiliar) if unfamiliar else "",
        "unknown": plots.unknown_plot(unfamiliar) if unfamiliar and unfamiliar.others is not None else "",
    }


def _facts(content: Content) -> dict[str, Any]:
    curve, calibration, unfamiliar = content.curve, content.calibration, content.unfamiliar
    return {
        "curve_says": captions.curve_says(curve) if curve else "",
        "calibration_says": captions.calibration_says(calibration) if calibration else "",
        "distance_says": captions.distance_says(unfamiliar) if unfamiliar else "",
        "unknown_says": captions.unknown_says(unfamiliar) if unfamiliar else "",
        "unknown_title": captions.unknown_title(unfamiliar) if unfamiliar else "",
        "serves": list(captions.serves(content)),
        "made": list(captions.made(content)),
        "seconds": list(captions.seconds(content)),
    }


def _sections(values: dict[str, Any]) -> list[tuple[str, str]]:
    """The addresses inside the page: what is there, in its order."""
    drawings = values["plots"]
    wanted = [
        ("next", "What to do next", values["steps"]),
        ("mistakes", "Worst mistakes", values["mistakes"]),
        ("confusion", "What is taken for what", True),
        ("labels", "Each label", True),
        ("suspects", "Labels to look at", values["suspects"]),
        ("duplicates", "Near-duplicates", values["groups"]),
        ("curve", "More images", drawings["curve"]),
        ("calibration", "What a score is worth", drawings["calibration"]),
        ("unknown", values["unknown_title"], drawings["distances"]),
        ("run", "How it was made", True),
    ]
    return [(id, title) for id, title, there in wanted if there]
