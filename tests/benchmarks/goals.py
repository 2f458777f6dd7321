"""What others reach on the public data sets, and what this project means to reach; percent, test split."""

from __future__ import annotations

from dataclasses import dataclass

WITHIN = 3.0  # points of F1 that a model without labels may lack to the supervised one


@dataclass(frozen=True)
class Goal:
    """A figure to reach.

    Attributes:
        kind: as the gold table calls the type; aim: None, for models without labels, is within WITHIN points of the
            supervised one.
        peers: published figures of others, or measured on the same split.
    """

    data: str
    kind: str
    measure: str
    aim: float | None
    peers: str = "–"
    variant: str = "supervised"
    at_most: bool = False


_NAMES = "exact or tf-idf name {}, gradient boosting on attributes {}, with shared neighbours {}"
GOALS = (
    Goal("itunes-amazon", "song", "f1", 98.0, "DeepMatcher 88.5, Magellan 91.2, Ditto 97.1"),
    Goal("itunes-amazon-dirty", "song", "f1", 96.0, "random forest 60, DeepMatcher 79.4, Ditto 95.7"),
    Goal("dblp-acm", "paper", "f1", 99.0, "DeepMatcher 98.4, Ditto 99.0"),
    Goal("movies", "film", "f1", 75.0, "GoldenMatch 65.2, random forest 68.0, Splink 4 68.1 (threshold from gold)"),
    Goal("movies", "film", "f1", 92.0, variant="with a title"),
    Goal("movies", "film", "f1", 30.0, variant="without a title"),
    Goal("movies", "film", "pair_completeness", 72.0),
    Goal("screen", "title", "f1", 98.5, _NAMES.format(89.3, 91.4, 97.8)),
    Goal("screen", "person", "f1", 99.4, _NAMES.format(94.9, 96.7, "99.0")),
    Goal("screen", "person", "f1", 97.5, variant="no people label"),
    Goal(
        "dbp15k-fr-en", "entity", "hits_at_1", 97.5,
        "tf-idf name 85.9; with a pretrained language model SelfKG 95.9, BERT-INT 99.2",
    ),
    Goal("dbp15k-fr-en", "entity", "hits_at_10", 99.5),
    Goal("dblp-acm", "paper", "f1", None, "Splink 98.4", variant="no labels"),
    Goal("movies", "film", "f1", None, "Splink 68.1", variant="no labels"),
    Goal("screen", "title", "f1", None, variant="no labels"),
    Goal("screen", "person", "f1", None, variant="no labels"),
)  # fmt: skip
ECE = tuple(
    Goal(data, kind, "ece", 3.0, at_most=True) for data, kind in dict.fromkeys((goal.data, goal.kind) for goal in GOALS)
)
