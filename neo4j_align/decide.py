"""What a model makes of its validation: thresholds, curves to choose others by, and how good its links are there."""

from __future__ import annotations

import numpy as np

from neo4j_align.config import Config
from neo4j_align.operating import Operating, trace
from neo4j_align.records import BoolArray, Nodes
from neo4j_align.resolve import evaluate, labels, match
from neo4j_align.resolve.evaluate import Scores
from neo4j_align.sight import Look


def decide(
    config: Config,
    look: Look,
    nodes: Nodes,
    known: labels.Labels,
    logits: Scores,
    confidence: Scores,
    exclusive: list[bool],
) -> tuple[list[float], list[Operating], dict[str, object]]:
    """Choose the thresholds on validation, draw what others would give, and measure the links there.

    Labels that the model guessed are all easy ones, so there each link counts for as true as its confidence says, and
    the threshold is the one that gives the best F1 to expect (Lipton et al., Thresholding classifiers to maximize F1
    score, 2014).

    Args:
        logits, confidence: (P,), of the look's pairs.
        exclusive: per type, whether the labels show one-to-one links.

    Returns:
        Of each type the threshold and the curve; and the figures of `evaluate`.
    """
    count, pairs, types, seed = len(config.types), look.pairs, look.types, config.training.seed
    _, alone = config.decisions([0.0] * count, exclusive)
    same, split = labels.learnt(known, nodes, pairs, seed, alone)
    chosen: BoolArray = np.zeros(len(pairs), bool)
    chosen[match.match(pairs, confidence, logits, np.zeros(len(pairs)), np.array(alone)[types])] = True
    taken = [chosen & (split == "valid") & (types == kind) for kind in range(count)]
    gold = labels.gold(count, known, nodes, "valid")
    judged = [(confidence[rows], same[rows] == 1, total) for rows, total in zip(taken, gold, strict=True)]
    for kind in known.guessed:
        mine = chosen & (types == kind) & ~np.isin(pairs.left, known.orphans[:, 0])
        judged[kind] = (confidence[mine], confidence[mine], confidence[mine].sum())
    thresholds = [evaluate.best_threshold(*kind) for kind in judged]
    least, _ = config.decisions(thresholds, exclusive)
    linked = chosen & (confidence >= np.array(least)[types])
    figures = evaluate.evaluate(nodes, pairs, confidence, linked, known, "valid", seed)
    return thresholds, [trace(*kind) for kind in judged], figures
