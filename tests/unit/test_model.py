"""What must hold of the network whatever its weights; and the folder that a model is saved in."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.config import Config, parse_config
from neo4j_align.errors import ModelError
from neo4j_align.gnn import calibrate, saved, score
from neo4j_align.gnn.features import Entities, map_count
from neo4j_align.gnn.model import Network, Shape
from neo4j_align.operating import Operating
from neo4j_align.records import Pairs
from neo4j_align.views import Weights
from tests.benchmarks.speed import reference
from tests.unit.builders import config, entities, neighbourhood, pairs

SIDE, TYPES, FEATURES, NEIGHBOURS = 6, 2, 5, 4  # entities a side
MAPPING = config(types=TYPES, relations=2)
ALL = [(left, right) for left in range(SIDE) for right in range(SIDE, 2 * SIDE)]


def graph(seed: int) -> Entities:
    """A random graph in which some entities have no neighbours, and all types and relations occur."""
    random = np.random.default_rng(seed)
    lists = []
    for owner in range(2 * SIDE):
        start = owner - owner % SIDE
        others = random.permutation([i for i in range(start, start + SIDE) if i != owner])
        count = int(random.integers(0, NEIGHBOURS + 1))
        lists.append([(int(other), int(random.choice([1, 2, -1, -2]))) for other in others[:count]])
    sure, identity = random.random(2 * SIDE) < 0.5, random.integers(2 * SIDE, size=2 * SIDE)
    return entities(
        MAPPING, neighbourhood(lists, NEIGHBOURS), types=[0, 0, 0, 1, 1, 1] * 2, seed=seed,
        identity=identity.tolist(), sure=sure.tolist(),
    )  # fmt: skip


def network(seed: int = 0, width: int = 8) -> Network:
    """A network of random weights, attention included, which a new one has at zero."""
    torch.manual_seed(seed)
    shape = Shape(width=width, types=TYPES, maps=map_count(MAPPING), features=FEATURES, dropout=0.5)
    made = Network(shape)
    with torch.no_grad():
        for value in made.parameters():
            value.add_(torch.randn_like(value) * 0.3)
    made.comparison.standardise(torch.randn(50, FEATURES))
    return made.eval()


def evidence(count: int, seed: int = 0) -> npt.NDArray[Any]:
    return np.random.default_rng(seed).normal(size=(count, FEATURES)).astype(np.float32)


def scores(made: Network, seen: Entities, chosen: Pairs, features: npt.NDArray[Any]) -> npt.NDArray[Any]:
    made, seen = score.exact(made, seen)
    both = score.indices(chosen)
    with torch.no_grad():
        found = score.logits(made, seen, score.encode(made, seen, both), both, features)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    return found


def assert_close(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_weights_and_neighbourhoods_matter_in_these_tests() -> None:
    """Else the invariances below would hold of a network that looks at nothing."""
    seen, chosen, features = graph(1), pairs(ALL), evidence(len(ALL))
    alone = dataclasses.replace(seen, neighbours=torch.full_like(seen.neighbours, -1))
    renamed = dataclasses.replace(seen, name=seen.name.roll(1, 0))
    found = scores(network(), seen, chosen, features)
    assert np.std(found) > 0.1
    for other in (scores(network(), graph, chosen, features) for graph in (alone, renamed)):
        assert (np.abs(other - found) > 1e-3).mean() > 0.5


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_scores_are_those_of_the_definition(seed: int) -> None:
    """Against the network written out edge by edge, with nothing shared between pairs."""
    seen, features = graph(seed), evidence(len(ALL))
    wide = dataclasses.replace(seen, rarity=seen.rarity.double())
    with torch.no_grad():
        expected = reference.forward(network().double(), wide, torch.tensor(ALL), torch.from_numpy(features).double())
    assert_close(scores(network(), seen, pairs(ALL), features), expected.numpy())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.sampled_from(range(len(ALL))), unique=True, min_size=1))
def test_a_score_does_not_depend_on_the_other_pairs(seed: int, rows: list[int]) -> None:
    seen, chosen, features = graph(seed), pairs(ALL), evidence(len(ALL))
    whole = scores(network(), seen, chosen, features)
    part = scores(network(), seen, chosen.take(np.array(rows)), features[rows])
    assert_close(part, whole[rows])


def test_a_score_does_not_depend_on_batches_or_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, chosen, features = graph(3), pairs(ALL), evidence(len(ALL))
    whole = scores(network(), seen, chosen, features)
    monkeypatch.setattr(score, "ENCODED_AT_ONCE", 3)
    monkeypatch.setattr(score, "SCORED_AT_ONCE", 7)
    assert_close(scores(network(), seen, chosen, features), whole)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2 if threads == 1 else 1)
        assert_close(scores(network(), seen, chosen, features), whole)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_says_what_the_processor_says(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, chosen, features = graph(3), pairs(ALL), evidence(len(ALL))
    there = scores(network(), seen, chosen, features)
    monkeypatch.setattr(score, "device", lambda: torch.device("cpu"))
    assert_close(scores(network(), seen, chosen, features), there)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_renumbering_the_entities_renumbers_the_scores(seed: int) -> None:
    """Neither the number of an entity nor the order in which neighbours were drawn is information."""
    seen, chosen, features = graph(seed), pairs(ALL), evidence(len(ALL))
    random = torch.Generator().manual_seed(seed)
    new = torch.cat([torch.randperm(SIDE, generator=random), SIDE + torch.randperm(SIDE, generator=random)])
    old = torch.argsort(new)
    places = torch.randperm(NEIGHBOURS, generator=random)
    neighbours = seen.neighbours[old][:, places]
    moved = Entities(**{name: value[old] for name, value in vars(seen).items()})
    moved = dataclasses.replace(
        moved,
        neighbours=torch.where(neighbours >= 0, new[neighbours.clamp(min=0)], -1),
        relations=moved.relations[:, places],
    )
    there = Pairs(new[chosen.left].int().numpy(), new[chosen.right].int().numpy(), chosen.scores)
    assert_close(scores(network(), moved, there, features), scores(network(), seen, chosen, features))


def test_left_and_right_are_judged_alike() -> None:
    """With the same comparison features, and types that both sides have."""
    seen = graph(5)
    rows = [(left, right) for left, right in ALL if seen.type[left] == seen.type[right]]
    chosen, features = pairs(rows), evidence(len(rows))
    turned = Pairs(chosen.right, chosen.left, chosen.scores)
    assert_close(scores(network(), seen, turned, features), scores(network(), seen, chosen, features))


def test_room_for_more_neighbours_changes_nothing() -> None:
    seen, chosen, features = graph(6), pairs(ALL), evidence(len(ALL))
    wider = dataclasses.replace(
        seen,
        neighbours=torch.nn.functional.pad(seen.neighbours, (0, 3), value=-1),
        relations=torch.nn.functional.pad(seen.relations, (0, 3)),
    )
    assert_close(scores(network(), wider, chosen, features), scores(network(), seen, chosen, features))


def test_entities_out_of_reach_change_nothing() -> None:
    """Where there is no neighbour stands -1, which must not read the text of entity 0 or of the last one."""
    lists: list[list[tuple[int, int]]] = [[] for _ in range(2 * SIDE)]
    lists[1], lists[7] = [(2, 1)], [(8, 1)]
    seen = entities(MAPPING, neighbourhood(lists, NEIGHBOURS), types=[0] * 2 * SIDE)
    other = entities(MAPPING, neighbourhood(lists, NEIGHBOURS), types=[0] * 2 * SIDE, seed=1)
    near = torch.tensor([1, 2, 7, 8])
    mixed = {name: value.clone() for name, value in vars(other).items()}
    for name, value in vars(seen).items():
        mixed[name][near] = value[near]
    one = scores(network(), seen, pairs([(1, 7)]), evidence(1))
    assert_close(scores(network(), Entities(**mixed), pairs([(1, 7)]), evidence(1)), one)


def test_hostile_features_give_finite_scores() -> None:
    extreme = np.array([[1e30] * FEATURES, [-1e30] * FEATURES, [0] * FEATURES], np.float32)
    assert len(scores(network(), graph(7), pairs(ALL[:3]), extreme)) == 3


def test_a_constant_feature_says_nothing() -> None:
    made = network()
    train = torch.from_numpy(evidence(50))
    train[:, 2] = 7.0
    made.comparison.standardise(train)
    chosen, one, other = pairs(ALL), evidence(len(ALL)), evidence(len(ALL))
    one[:, 2], other[:, 2] = 7.0, -3.0
    np.testing.assert_array_equal(scores(made, graph(8), chosen, one), scores(made, graph(8), chosen, other))


def test_every_weight_learns() -> None:
    seen = Entities(**{n: v.float() if v.is_floating_point() else v for n, v in vars(graph(10)).items()})
    made, both = network(), torch.tensor(ALL)
    found = made.forward(seen, score.encode(made, seen, both), both, torch.from_numpy(evidence(len(ALL))))
    found.square().sum().backward()
    still = {name for name, value in made.named_parameters() if value.grad is None or not value.grad.abs().any()}
    assert still == set()


def test_exact_leaves_the_originals_alone() -> None:
    made, seen = network(), graph(11)
    double, same = score.exact(made, seen)
    assert {value.dtype for value in made.parameters()} == {torch.float32}
    assert {value.dtype for value in double.parameters()} == {torch.float64}
    assert same.type.dtype == torch.int64


# The folder


def about(mapping: Config = MAPPING) -> saved.About:
    made = network()
    return saved.About(
        config=mapping,
        shape=made.shape,
        curves=(calibrate.Curve(slope=1.5, offset=-0.1),) * TYPES,
        first=(calibrate.Curve(),) * TYPES,
        judged=(True,) * TYPES,
        thresholds=(0.5, 0.625),
        operating=(
            Operating(),
            Operating(thresholds=(0.9, 0.4), links=(5, 9), precision=(1.0, 0.8), recall=(0.5, 0.7)),
        ),
        exclusive=(True, False),
        features=tuple(f"feature {i}" for i in range(FEATURES)),
        training={"seconds": 1.5},
    )


def model() -> saved.Model:
    random = np.random.default_rng(0)
    weights = Weights(*(random.random(size).astype(np.float32) for size in (8, 9, 10)))
    return saved.Model(network().comparison, network(), weights, random.random((TYPES, 5)).astype(np.float32), about())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model().save(tmp_path / "some" / "model")
    return tmp_path / "some" / "model"


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_model_comes_back_as_it_was(folder: Path) -> None:
    before, after = model(), saved.load(folder)
    assert after.about == before.save(folder).about
    assert not after.network.training
    for name, value in before.network.state_dict().items():
        torch.testing.assert_close(after.network.state_dict()[name], value, rtol=0, atol=0)
    for name, array in vars(before.weights).items():
        np.testing.assert_array_equal(vars(after.weights)[name], array)
    np.testing.assert_array_equal(after.means, before.means)
    seen, chosen, features = graph(12), pairs(ALL), evidence(len(ALL))
    np.testing.assert_array_equal(
        scores(after.network, seen, chosen, features), scores(before.network, seen, chosen, features)
    )


def test_the_id_is_that_of_what_links_depend_on(folder: Path, tmp_path: Path) -> None:
    first = saved.load(folder).about.id
    assert saved.load(folder).about.id == first
    longer = dataclasses.replace(model(), about=about().model_copy(update={"training": {"seconds": 99.0}}))
    assert longer.save(tmp_path / "longer").about.id == first
    other = dataclasses.replace(model(), network=network(seed=1))
    assert other.save(tmp_path / "other").about.id != first
    stricter = dataclasses.replace(model(), about=about().model_copy(update={"thresholds": (0.5, 0.7)}))
    assert stricter.save(tmp_path / "stricter").about.id != first


def test_nothing_of_this_machine_is_in_the_folder(folder: Path) -> None:
    for path in folder.iterdir():
        content = path.read_bytes()
        assert str(folder).encode() not in content
        assert str(Path.home()).encode() + b"/" not in content
        assert str(Path.cwd()).encode() not in content
    names = [path.name for path in folder.iterdir()]
    assert sorted(name.split("-")[0] for name in names) == ["first", "frozen", "model.json", "network"]


@pytest.mark.parametrize("cut", [(saved, "_hash"), (saved, "save_arrays"), (Path, "write_text")])
def test_a_new_model_replaces_the_old_in_one_step(
    folder: Path, monkeypatch: pytest.MonkeyPatch, cut: tuple[Any, str]
) -> None:
    """Killed before model.json is replaced, the old model is there; afterwards only the new one."""
    old, other = saved.load(folder).about.id, dataclasses.replace(model(), network=network(seed=1))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*cut, killed)
        with pytest.raises(KeyboardInterrupt):
            other.save(folder)
    assert saved.load(folder).about.id == old
    assert other.save(folder).about.id == saved.load(folder).about.id != old
    assert len(list(folder.iterdir())) == 4


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere holds no complete model: model\.json is missing\. Run"):
        saved.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["model.json", "first-", "network-", "frozen-"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (path,) = folder.glob(f"{name}*")
    path.unlink()
    with pytest.raises(ModelError, match=f"{path.name} is missing"):
        saved.load(folder)


@pytest.mark.parametrize("name", ["first-", "network-", "frozen-"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_file_is_named(folder: Path, name: str, damage: str) -> None:
    (path,) = folder.glob(f"{name}*")
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
    size = {"flip": len(content), "cut": len(content) // 2, "empty": 0}[damage]
    path.write_bytes(content[:size])
    with pytest.raises(ModelError, match=f"{path.name} is damaged"):
        saved.load(folder)


def test_another_format_is_refused(folder: Path) -> None:
    edit(folder, format=99)
    with pytest.raises(ModelError, match="another format"):
        saved.load(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"{}", b'{"format": 1}', b"[" * 100_000, b"null", b"[]", b"1"],
    ids=["empty", "half", "not UTF-8", "nothing in it", "little in it", "deep", "null", "list", "number"],
)
def test_a_model_json_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    (folder / "model.json").write_bytes(content)
    with pytest.raises(ModelError, match="Train again"):
        saved.load(folder)


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    edit(folder, shape=network(width=16).shape.model_dump())
    with pytest.raises(ModelError, match="cannot be read as a model"):
        saved.load(folder)


def test_another_mapping_is_refused() -> None:
    made = model()
    made.require(MAPPING)
    with pytest.raises(ModelError, match="trained with other relations than"):
        made.require(config(types=TYPES, relations=1))
    document = MAPPING.model_dump(mode="json")
    # Sides, thresholds, cardinalities and training settings may change without training again.
    document["left"]["label"] = "Other"
    document["types"][0] |= {"threshold": 0.9, "cardinality": "many"}
    document["training"]["epochs"] = 1
    made.require(parse_config(document))


@pytest.mark.parametrize("part", ["network.part", "model.json.part"])
def test_a_model_that_there_is_no_room_for_leaves_nothing(tmp_path: Path, part: str) -> None:
    (tmp_path / part).mkdir()  # nothing can be written there
    with pytest.raises(ModelError, match="cannot be written"):
        model().save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [part]
