"""The pictures, drawn by matplotlib (the extra `report`): the same data always gives the same bytes."""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neo4j_align.errors import ConfigError
from neo4j_align.operating import wilson
from neo4j_align.report.lists import clean
from neo4j_align.resolve.account import DEGREES
from neo4j_align.resolve.drift import MOVED, SCORES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SERIES = 8  # lines of a picture, at most
_INK = "#1d232b"  # on a page it becomes the colour of the text, light on dark and dark on light
_COLOURS = ("#3b8fd6", "#e08b1e", "#2aa876", "#c65b9b", "#8c7ae6", "#c9a227", "#5fb3c9", "#d9604c")
_LINK, _NEAR, _REJECTED = _COLOURS[0], _COLOURS[1], "#8a8f98"
_NOTHING = {"Creator": None, "Date": None, "Format": None, "Type": None}  # no metadata: it would name the day
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small, searchable, and read aloud
    "text.parse_math": False,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK),
    "legend.frameon": False,
    "legend.fontsize": 9,
}


@dataclass(frozen=True)
class Line:
    """A precision-recall curve: its points, strictest first, and the one that was chosen, as (recall, precision)."""

    name: str
    points: Sequence[tuple[float, float]]
    chosen: tuple[float, float] | None


@dataclass(frozen=True)
class Picture:
    """A drawn picture: `name` for files and anchors, `alt` for who cannot see it, `svg` on white."""

    name: str
    alt: str
    svg: str
    figure: Figure

    def png(self) -> bytes:
        """Return the picture in pixels, on white."""
        written = io.BytesIO()
        with _quiet():
            self.figure.savefig(written, format="png", dpi=150, facecolor="white", metadata={"Software": None})
        return written.getvalue()

    @property
    def inline(self) -> str:
        """The picture as an element of a page: with names of its own, in the colours of the page."""
        body = self.svg[self.svg.index("<svg") :].replace(_INK, "currentColor").replace("fill: #ffffff", "fill: none")
        return re.sub(r"<[^>]*>", lambda tag: re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{self.name}-", tag[0]), body)


def draw(name: str, alt: str, paint: Callable[[Axes], None], height: float = 3.4) -> Picture:
    """Draw a picture.

    Args:
        paint: draws into the axes that it gets.

    Raises:
        ConfigError: matplotlib is not there.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError("The pictures of a report take the extra: pip install 'neo4j-align[report]'") from error
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}), _quiet():
        figure = Figure(figsize=(6.4, height), layout="constrained")
        paint(figure.add_subplot())
        written = io.StringIO()
        figure.savefig(written, format="svg", facecolor="white", metadata=_NOTHING)
        return Picture(name, alt, written.getvalue(), figure)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a browser has other fonts
        yield


def precision_recall(lines: Sequence[Line]) -> Picture:
    """Draw curves with the chosen operating points."""

    def paint(axes: Axes) -> None:
        for line, colour in zip(lines[:SERIES], _COLOURS, strict=False):
            recall, precision = np.array(line.points, float).reshape(-1, 2).T
            axes.plot(recall, precision, color=colour, label=clean(line.name))
            if line.chosen:
                axes.plot(*line.chosen, "o", color=colour, markersize=8)
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(_floor(lines), 1.01))
        axes.grid(alpha=0.25)
        axes.legend(loc="lower left", title="● chosen")

    chosen = "; ".join(f"{clean(line.name)} {line.chosen[1]:.3f} at recall {line.chosen[0]:.3f}"
                       for line in lines[:SERIES] if line.chosen)  # fmt: skip
    return draw("precision-recall", f"Precision against recall. Chosen: {chosen or 'none'}.", paint, 4)


def _floor(lines: Sequence[Line]) -> float:
    lowest = min((point[1] for line in lines for point in line.points), default=0.0)
    return max(math.floor(lowest * 10) / 10 - 0.05, 0.0)


def reliability(bins: Sequence[Sequence[float]], bands: Sequence[Sequence[float]]) -> Picture:
    """Draw frequency against confidence, with Wilson's intervals.

    Args:
        bins: of labelled pairs, bands: of verdicts; mean confidence, frequency, number.
    """

    def paint(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], linestyle=":", color=_INK, label="exact confidences")
        for rows, label, mark, colour in ((bins, "labelled pairs", "o", _LINK), (bands, "verdicts", "s", _NEAR)):
            if rows:
                confidence, frequency, count = np.array(rows, float).T
                ends = np.array([wilson(share, int(number)) for share, number in zip(frequency, count, strict=True)])
                spread = np.maximum([frequency - ends[:, 0], ends[:, 1] - frequency], 0)
                axes.errorbar(confidence, frequency, spread, fmt=mark, color=colour, capsize=3, label=f"{label}, 95 %")
        axes.set(xlabel="confidence", ylabel="share that is right", xlim=(-0.02, 1.02), ylim=(-0.04, 1.04))
        axes.grid(alpha=0.25)
        axes.legend(loc="upper left")

    return draw("reliability", "How often pairs of a confidence are right, against that confidence.", paint, 4)


def scores(counts: dict[str, list[int]]) -> Picture:
    """Draw the histogram of scores of links, near misses and rejected pairs; `counts` by bin of drift.SCORES."""
    step = SCORES[1] - SCORES[0]
    edges = [SCORES[0] - step, *SCORES, SCORES[-1] + step]

    def paint(axes: Axes) -> None:
        kinds = (("rejected", "turned down", _REJECTED), ("near", "near misses", _NEAR), ("links", "links", _LINK))
        for kind, label, colour in kinds:
            axes.stairs(counts[kind], edges, fill=True, alpha=0.7, color=colour, label=label)
        axes.set_yscale("symlog", linthresh=10)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set(xlabel="score (logit)", ylabel="pairs, logarithmic", ylim=(0, None))
        axes.legend(loc="upper right")

    said = ", ".join(f"{sum(counts[kind]):,} {label}" for kind, label in
                     (("links", "links"), ("near", "near misses"), ("rejected", "turned down")))  # fmt: skip
    return draw("scores", f"Histogram of scores: {said}.", paint)


def degrees(table: dict[str, list[Any]]) -> Picture:
    """Draw the quartiles of links' confidence by number of neighbours, and the share of entities that are linked."""
    bins = degree_bins()

    def paint(axes: Axes) -> None:
        places = np.flatnonzero(table["links"])
        low, median, high = (np.array(table[name], float)[places] for name in ("low", "median", "high"))
        axes.errorbar(places, median, [median - low, high - median], fmt="o", color=_LINK, capsize=3,
                      label="confidence of links: median, quartiles")  # fmt: skip
        some = np.flatnonzero(table["entities"])
        share = np.array(table["linked"], float)[some] / np.array(table["entities"])[some]
        axes.plot(some, share, "--", marker=".", color=_NEAR, label="share of left entities that are linked")
        axes.set_xticks(range(len(bins)), bins)
        axes.set(xlabel="neighbours", ylim=(-0.03, 1.03))
        axes.grid(axis="y", alpha=0.25)
        axes.legend(loc="lower right")

    return draw("degrees", "Confidence of links, and share of linked entities, by number of neighbours.", paint)


def degree_bins() -> list[str]:
    """Return what the bins of DEGREES are called: 0, 1, 2, 3-4 and so on."""
    bounds = [0, *DEGREES.tolist()]
    inner = [str(a) if b == a + 1 else f"{a}-{b - 1}" for a, b in itertools.pairwise(bounds)]
    return [*inner, f"{bounds[-1]}+"]


def funnel(steps: Sequence[tuple[str, int]]) -> Picture:
    """Draw how many pairs each step leaves."""
    return _bars("funnel", [name for name, _ in steps], [count for _, count in steps], "pairs, logarithmic", log=True)


def drift(index: dict[str, float]) -> Picture:
    """Draw the population stability indices, the largest first."""
    rows = sorted(index.items(), key=lambda row: (-row[1], row[0]))[:SERIES]
    return _bars("drift", [name for name, _ in rows], [value for _, value in rows], "stability index", mark=MOVED)


def timings(seconds: dict[str, float]) -> Picture:
    """Draw the seconds of each stage, in order."""
    return _bars("timings", list(seconds), list(seconds.values()), "seconds")


def _bars(
    name: str, labels: Sequence[str], values: Sequence[float], what: str, log: bool = False, mark: float | None = None
) -> Picture:
    said = [f"{value:,}" if isinstance(value, int) else f"{value:.3g}" for value in values]

    def paint(axes: Axes) -> None:
        places = range(len(labels))
        bars = axes.barh(places, values, color=_LINK)
        axes.margins(x=0.2)
        axes.bar_label(bars, said, padding=4)
        axes.set_yticks(places, [clean(label) for label in labels])
        axes.invert_yaxis()
        if log:
            axes.set_xscale("symlog")
            axes.set_xticks([10**power for power in range(0, 19, 3)])
            axes.xaxis.set_major_formatter("{x:,.0f}")
            axes.set_xlim(0, 10 * max(values, default=1) + 10)
        if mark is not None:
            axes.axvline(mark, linestyle=":", color=_COLOURS[7])
        axes.set(xlabel=what)

    told = "; ".join(f"{clean(label)}: {text}" for label, text in zip(labels, said, strict=True))
    return draw(name, f"{what.capitalize()}. {told}.", paint, 0.9 + 0.36 * len(labels))
