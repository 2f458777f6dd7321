"""How good a run's links are, as far as that is known: in words, and what cannot be known. Pure."""

from __future__ import annotations

import itertools
from typing import Any

from neo4j_align.report.material import Material, Section, Table, percent
from neo4j_align.resolve import estimate


def verdicts(material: Material) -> dict[str, Any]:
    """Estimate the precision of the run's model from a person's verdicts on its links.

    Returns:
        As `estimate.precision`; `others`, verdicts on links of other models, `found`, confirmed pairs that no model
        had linked.
    """
    stored = material.stored
    judged = stored[(stored["status"] == "confirmed") | ~stored["same"].astype(bool)]
    judged = judged[~judged["pair"].duplicated(keep=False)]  # what was both confirmed and rejected says nothing
    mine = judged["model"] == material.run.get("model")
    thought = judged["thought"].notna()
    predicted = stored[stored["same"].astype(bool) & (stored["status"] == "predicted")]
    unjudged = predicted.loc[predicted["model"] == material.run.get("model"), "confidence"].to_numpy(float)
    return {
        **estimate.precision(judged[mine & thought], unjudged),
        "others": int((~mine & thought).sum()),
        "found": int((~thought & judged["same"].astype(bool)).sum()),
    }


def section(material: Material) -> Section:
    """Say how many links are right, as far as that is known, and what cannot be known."""
    found, notes = verdicts(material), []
    if material.gold:
        figures = material.gold
        notes += [
            f"Against gold (split {figures['split']}, {figures['gold']:,} true links): precision "
            f"{percent(figures['precision'])}, recall {percent(figures['recall'])}, F1 {percent(figures['f1'])}. "
            "The model was measured, without the help of verdicts.",
        ]
    else:
        notes.append(
            "Without gold nobody knows the recall: which true links blocking missed or the model turned down. "
            "How many links are right can be estimated from a person's verdicts on them, and from nothing else."
        )
    notes += _estimated(found)
    if found["found"]:
        notes.append(f"Persons linked {found['found']:,} pairs that no model had linked.")
    source = "gold and a person's verdicts" if material.gold else "a person's verdicts in the database"
    return Section("known", "How good it is", source, notes, table=_bands(found) if found["reviewed"] else None)


def _estimated(found: dict[str, Any]) -> list[str]:
    expected = f"if confidences mean what they say, {percent(found['expected'])} of its links are right"
    notes = []
    if not found["reviewed"]:
        notes.append(
            "No link of this model was reviewed yet." + f" All that is known: {expected}." * bool(found["links"])
        )
    else:
        notes.append(
            f"Of {found['reviewed']:,} reviewed links of this model {found['right']:,} are right: "
            f"{percent(found['precision'])}, with 95 % certainty {percent(found['low'])} to "
            f"{percent(found['high'])} of links like these. For comparison, {expected}."
        )
        notes.append(_sample(found))
    if found["others"]:
        notes.append(f"{found['others']:,} verdicts on links of other models are not counted.")
    return notes


def _sample(found: dict[str, Any]) -> str:
    """Say whether the reviewed links can stand for all."""
    if found["chance"] is None:
        return "All its links were reviewed."
    if found["random"]:
        return (
            "Their confidences are no other than those of its other links; whether they were drawn at random, the "
            "database does not tell. A queue that shows the uncertain first draws none."
        )
    weighted = found["weighted"]
    return (
        "They are not a random sample: their confidences are other than those of its other links (chance makes so "
        "large a difference in fewer than 5 % of samples). What they say of all links is not known. "
        + (
            "Some bands of confidence have no verdict at all."
            if weighted is None
            else f"Weighted by how many links have each confidence, the estimate is {percent(weighted)}."
        )
    )


def _bands(found: dict[str, Any]) -> Table:
    bounds = [0.0, *estimate.BANDS.tolist(), 1.0]
    rows = [
        (f"{low:g} to {high:g}", f"{band['links']:,}", f"{band['reviewed']:,}", f"{band['right']:,}",
         f"{percent(band['low'])} to {percent(band['high'])}" if band["reviewed"] else "unknown")
        for (low, high), band in zip(itertools.pairwise(bounds), found["bands"], strict=True)
    ]  # fmt: skip
    return Table("Verdicts by confidence", ("confidence", "links", "reviewed", "right", "95 % interval"), rows)
