"""What the report of a run shows: sections, each with where it comes from and what it cannot say. Pure."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from neo4j_align.report import charts, known, lists
from neo4j_align.report.charts import Line
from neo4j_align.report.lists import clean
from neo4j_align.report.material import ANEW, NOW, RECORD, VALIDATION, Material, Section, Table, count, percent
from neo4j_align.resolve.account import NEAR
from neo4j_align.resolve.drift import MOVED, SCORES

_UNKNOWN = "This run kept no account of its pairs. With --model the graph is judged anew."
_SHOWN = 50  # conflicts


def sections(material: Material) -> list[Section]:
    """Return the parts of the report, in order."""
    return [
        _run(material),
        known.section(material),
        _linked(material),
        _precision_recall(material),
        _reliability(material),
        *_account(material),
        _drift(material),
        *_lists(material),
        _conflicts(material),
        _timings(material),
    ]


def title(material: Material) -> str:
    """Return what the page is called."""
    sides = (clean(side.label or side.value) for side in (material.config.left, material.config.right))
    return f"{' and '.join(sides)}: run {clean(material.run['id'])}"


def _run(material: Material) -> Section:
    run = material.run
    names = ("id", "kind", "status", "by", "started_at", "finished_at", "seconds", "model", "precision", "entities",
             "candidates", "links", "created", "updated", "retired")  # fmt: skip
    rows = [(name.replace("_", " "), clean(run[name])) for name in names if run.get(name) is not None]
    return Section(
        "run", "The run", RECORD, _since(material), table=Table("The run", ("what", "value"), rows, prose=True)
    )


def _since(material: Material) -> list[str]:
    """Say what is no longer as the run left it."""
    run, notes = material.run, []
    if run.get("status") != "done":
        notes.append(f"The run did not end well: it is {clean(run.get('status'))}. Its record is incomplete.")
    if material.latest != run["id"]:
        notes.append(
            f"Run {material.latest} came later. What is said to be from the database is as it stands now, after it."
        )
    if material.examined and run.get("graph") == material.examined.graph:
        notes.append("The graph is as the run saw it, so judged anew it gives the same but for later verdicts.")
    elif material.examined:
        notes.append("The graph has changed since the run. What was judged anew is not what the run saw.")
    return notes


def _linked(material: Material) -> Section:
    stored = lists.placed(material.nodes, material.stored)
    kinds = material.nodes.type[stored["l"].to_numpy(np.int64)]
    same, sure = stored["same"].astype(bool).to_numpy(), (stored["status"] == "confirmed").to_numpy()
    funnels = material.account.get("types", {})
    rows = []
    for index, kind in enumerate(material.config.types):
        if not kind.aligned:
            continue
        mine, funnel = kinds == index, funnels.get(kind.name, {})
        predicted = mine & same & ~sure
        confidence = stored["confidence"][predicted].astype(float)
        row = [clean(kind.name)]
        row += [count(funnel.get(name)) for name in ("left", "right", "links")]
        row.append(f"{funnel['threshold']:.3f}" if funnel.get("threshold") is not None else "none")
        row += [count(int(part.sum())) for part in (predicted, mine & same & sure, mine & ~same)]
        row.append(f"{confidence.mean():.3f}" if len(confidence) else "")
        rows.append(row)
    columns = ("type", "left", "right", "links found", "threshold", "predicted now", "confirmed", "rejected",
               "mean confidence")  # fmt: skip
    source = f"{material.source}; the columns from “predicted now” on from {NOW}"
    return Section("linked", "What was linked", source, table=Table("Links by type", columns, rows))


def _precision_recall(material: Material) -> Section:
    heading = "Precision against recall"
    if material.gold:
        figures = {"all": material.gold, **material.gold["types"]}
        lines = [
            Line(
                kind, [(recall, precision) for _, precision, recall in row["curve"]], (row["recall"], row["precision"])
            )
            for kind, row in (figures.items() if len(figures) > 2 else list(figures.items())[1:])
        ]
        notes = ["A point is where the links stand; it can lie beside its curve, which ranks pairs before matching."]
        return Section("precision-recall", heading, "gold", notes, charts.precision_recall(lines))
    lines, rows = [], []
    for kind, curve in material.account.get("operating", {}).items():
        threshold, links, precision, recall = curve["chosen"]
        if curve["curve"]:
            chosen = None if precision is None else (recall, precision)
            lines.append(Line(kind, [(row[3], row[2]) for row in curve["curve"]], chosen))
        row = "none" if threshold is None else f"{threshold:.3f}"
        rows.append((clean(kind), row, count(links), *(percent(value) for value in (precision, recall))))
    if not lines:
        why = "Validation had too few true links of any type for a curve." if rows else _UNKNOWN
        return Section("precision-recall", heading, VALIDATION, [why])
    notes = ["Thresholds were chosen on these links, so figures on others will be somewhat lower.", *_own(material)]
    table = Table(heading, ("type", "threshold", "validation links", "precision", "recall"), rows)
    return Section("precision-recall", heading, VALIDATION, notes, charts.precision_recall(lines), table)


def _reliability(material: Material) -> Section:
    heading = "Do confidences mean what they say"
    bins = material.gold["reliability"] if material.gold else material.account.get("reliability", [])
    bands = [
        (band["confidence"], band["precision"], band["reviewed"])
        for band in known.verdicts(material)["bands"]
        if band["reviewed"]
    ]
    source = ("gold" if material.gold else VALIDATION) + " and verdicts" * bool(bands)
    if not (bins or bands):
        return Section(
            "reliability", heading, source, ["There are neither verdicts nor figures of validation to draw."]
        )
    fitted = "The curve of the confidences was fitted on these links: on others it fits less."
    notes = [] if material.gold else [fitted, *_own(material)]
    rows = [(f"{confidence:.3f}", f"{share:.3f}", count(pairs)) for confidence, share, pairs in bins]
    table = Table(heading, ("mean confidence", "share right", "pairs"), rows) if rows else None
    return Section("reliability", heading, source, notes, charts.reliability(bins, bands), table)


def _own(material: Material) -> list[str]:
    """Warn where no person made the labels that validation is about."""
    text = (
        "The model was trained without a file of labels: what it took for links itself says little of how good it is."
    )
    return [text] if material.account.get("own_labels") else []


def _account(material: Material) -> list[Section]:
    """Show what became of the candidate pairs: scores, funnel, degrees."""
    account = material.account
    titles = {"scores": "Scores", "funnel": "From all pairs to links", "degrees": "Confidence and neighbours"}
    if "types" not in account:
        return [Section(name, title, material.source, [_UNKNOWN]) for name, title in titles.items()]
    near = f"A near miss is no link, though its confidence is at least {NEAR:g} of its type's threshold."
    steps, rows = _funnel(account["types"])
    columns = ("type", "possible", "candidates", "left with one", "above threshold", "links", "near misses", "decided")
    few = "A link counts by its end with fewer neighbours."
    return [
        Section("scores", titles["scores"], material.source, [near], charts.scores(account["scores"]),
                _scores(account["scores"])),
        Section("funnel", titles["funnel"], material.source, ["Without gold, how many true pairs blocking lost is not "
                "known." if not material.gold else "Of the true links of gold, "
                f"{percent(material.gold['pair_completeness'])} are among the candidates."],
                charts.funnel(steps), Table("Pairs by type", columns, rows)),
        Section("degrees", titles["degrees"], material.source, [few], charts.degrees(account["degrees"]),
                _degrees(account["degrees"])),
    ]  # fmt: skip


def _funnel(types: dict[str, dict[str, Any]]) -> tuple[list[tuple[str, int]], list[list[str]]]:
    """Return the steps over all types, and a row of each type."""
    names = ("candidates", "eligible", "links")
    possible = {kind: row["left"] * row["right"] for kind, row in types.items()}
    steps = [("possible pairs", sum(possible.values()))]
    steps += [
        (label, sum(row[name] for row in types.values()))
        for label, name in zip(("candidates", "above threshold", "links"), names, strict=True)
    ]
    shown = ("candidates", "compared", "eligible", "links", "near", "decided")
    rows = [[clean(kind), count(possible[kind]), *(count(row[name]) for name in shown)] for kind, row in types.items()]
    return steps, rows


def _scores(counts: dict[str, list[int]]) -> Table:
    bounds = [f"{value:g}" for value in SCORES]
    names = [
        f"below {bounds[0]}",
        *(f"{a} to {b}" for a, b in itertools.pairwise(bounds)),
        f"from {bounds[-1]}",
    ]
    kinds = ("links", "near", "rejected")
    rows = [(name, *(count(counts[kind][at]) for kind in kinds)) for at, name in enumerate(names)]
    return Table("Scores", ("score", "links", "near misses", "turned down"), rows)


def _degrees(table: dict[str, list[Any]]) -> Table:
    columns = ("neighbours", "links", "lower quartile", "median", "upper quartile", "left entities", "linked")
    rows = [
        (name, count(links), *("" if v is None else f"{v:.3f}" for v in spread), count(entities), count(linked))
        for name, links, *spread, entities, linked in zip(
            charts.degree_bins(),
            *(table[name] for name in ("links", "low", "median", "high", "entities", "linked")),
            strict=True,
        )
    ]
    return Table("Neighbours", columns, rows)


def _drift(material: Material) -> Section:
    heading, index = "Drift since training", material.examined.drift if material.examined else material.noted("drift")
    if not index:
        return Section("drift", heading, material.source, ["The run kept no comparison with training."])
    moved = [clean(name) for name, value in sorted(index.items()) if value >= MOVED]
    note = (
        f"Moved: {', '.join(moved)}. Look at some links, and train again."
        if moved
        else f"Nothing has moved: all stability indices are below {MOVED}."
    )
    rows = [(clean(name), f"{value:.4f}") for name, value in sorted(index.items(), key=lambda row: (-row[1], row[0]))]
    table = Table(heading, ("distribution", "population stability index"), rows)
    return Section("drift", heading, material.source, [note], charts.drift(index), table)


def _lists(material: Material) -> list[Section]:
    config, nodes, links = material.config, material.nodes, material.predicted
    found = [
        ("uncertain", "The most uncertain links", NOW, lists.uncertain(links), "Confidence nearest to one half."),
        ("surprising", "The most surprising links", NOW, lists.surprising(config, nodes, links),
         "High confidence, though few attributes agree: their neighbours must tell, or the model errs."),
    ]  # fmt: skip
    if material.examined:
        near = lists.placed(nodes, material.examined.near).sort_values(["confidence", "pair"], ascending=[False, True])
        found.append(("near", "The nearest misses", ANEW, near[: lists.SHOWN], "No links, but nearly."))
    return [
        Section(name, title, source, [note if len(rows) else "There are none."], links=lists.shown(config, nodes, rows))
        for name, title, source, rows, note in found
    ]


def _conflicts(material: Material) -> Section:
    rows = [
        (clean(row["kind"]), "; ".join(map(clean, row["pairs"])), ", ".join(map(clean, row["persons"])))
        for row in material.conflicts[:_SHOWN]
    ]
    number = len(material.conflicts)
    note = f"{number:,} conflicts; withdraw a verdict or reject a link." if number else "There are none."
    notes = [note, *([f"The first {_SHOWN} are shown."] if number > _SHOWN else [])]
    table = Table("Conflicts", ("kind", "pairs", "persons"), rows, prose=True) if rows else None
    return Section("conflicts", "Conflicts", NOW, notes, table=table)


def _timings(material: Material) -> Section:
    stages = material.noted("stages")
    if not stages:
        return Section("timings", "Timings", RECORD, ["The run kept no timings."])
    rows = [(clean(name), f"{stage['seconds']:.2f}", count(int(stage["count"]))) for name, stage in stages.items()]
    picture = charts.timings({name: stage["seconds"] for name, stage in stages.items()})
    return Section("timings", "Timings", RECORD, (), picture, Table("Timings", ("stage", "seconds", "count"), rows))
