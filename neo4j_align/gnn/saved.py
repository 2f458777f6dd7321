"""A trained model and its folder: weights as safetensors, the rest as JSON; no pickle anywhere."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file as load_tensors
from safetensors.torch import save_file as save_tensors

from neo4j_align import __version__
from neo4j_align.config import Config
from neo4j_align.errors import ModelError
from neo4j_align.gnn.calibrate import Curve
from neo4j_align.gnn.model import Comparison, Network, Shape
from neo4j_align.operating import Operating
from neo4j_align.records import FloatArray
from neo4j_align.views import Weights

FORMAT = 4  # 4: names are compared as they are projected, by no weights
_ABOUT = "model.json"
_PARTS = ("first", "network", "frozen")


class About(BaseModel):
    """What model.json holds.

    Attributes:
        curves, thresholds, operating, exclusive: per type of the configuration: calibration, least confidence of a
            link, what other thresholds would give, and whether its links are one-to-one.
        first: curves of the first look, per type; judged: whether labels taught it that type.
        features: names of the comparison features, in order.
        training: figures: validation, epochs, seconds, number of labels.
        files: SHA-256 of the files of weights, `first`, `network` and `frozen`; it is in their names too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    version: str = __version__
    config: Config
    shape: Shape
    curves: tuple[Curve, ...]
    thresholds: tuple[float, ...]
    operating: tuple[Operating, ...]
    exclusive: tuple[bool, ...]
    first: tuple[Curve, ...]
    judged: tuple[bool, ...]
    features: tuple[str, ...]
    training: dict[str, Any]
    files: dict[str, str] = {}

    @property
    def id(self) -> str:
        """Identity of the model: the first 12 hex digits of the SHA-256 of all that its links depend on."""
        known = self.model_dump_json(exclude={"training": True, "config": {"history", "sync"}})
        return hashlib.sha256(known.encode()).hexdigest()[:12]

    def validated(self, config: Config, thresholds: Sequence[float]) -> dict[str, Any]:
        """Return what validation says, for a run's account: of each aligned type its curve with the point of its
        threshold, the reliability of the confidences, and whether the labels may be the model's own.
        """  # noqa: D205
        rows = zip(config.types, self.operating, thresholds, strict=True)
        operating = {kind.name: curve.document(least) for kind, curve, least in rows if kind.aligned}
        return {
            "operating": operating,
            "reliability": self.training.get("validation", {}).get("reliability", []),
            "own_labels": bool(self.training["labels"]["guessed"]),
        }


@dataclass(frozen=True)
class Model:
    """Two trained looks with all that they need to score a graph the same way again.

    Attributes:
        first: finds the anchors; network: judges the pairs with them.
        weights: rarities of words and trigrams at training.
        means: avg_t(|N_r|) at training, (T, 2R + 1).
    """

    first: Comparison
    network: Network
    weights: Weights
    means: FloatArray
    about: About

    def require(self, config: Config) -> None:
        """See that the model fits a configuration.

        Raises:
            ModelError: The mapping, sampling or blocking is not the one that it was trained with.
        """
        mine, theirs = self.about.config.learned(), config.learned()
        if changed := [name for name in mine if mine[name] != theirs[name]]:
            raise ModelError(
                f"The model was trained with other {', '.join(changed)} than the configuration has now. "
                "Train again, or give the configuration that it was trained with."
            )

    def save(self, folder: Path) -> Model:
        """Write the folder and return the model with the hashes of its files.

        An older model there holds until model.json is replaced, in one step: a killed process loses neither.

        Raises:
            ModelError: There is no room, or no right to write.
        """
        parts = {name: folder / f"{name}.part" for name in (*_PARTS, _ABOUT)}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return self._write(folder, parts)
        except (OSError, SafetensorError) as error:
            raise ModelError(f"The model cannot be written to {folder}, make room or give another: {error}") from error
        finally:
            for part in parts.values():  # a full disk is not kept full
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)

    def _write(self, folder: Path, parts: dict[str, Path]) -> Model:
        for name, module in (("first", self.first), ("network", self.network)):
            save_tensors({key: value.contiguous() for key, value in module.state_dict().items()}, parts[name])
        frozen = {name: np.ascontiguousarray(value) for name, value in vars(self.weights).items()}
        save_arrays({**frozen, "means": np.ascontiguousarray(self.means)}, parts["frozen"])
        about = self.about.model_copy(update={"files": {name: _hash(parts[name]) for name in _PARTS}})
        document = {"id": about.id, **about.model_dump(mode="json")}
        parts[_ABOUT].write_text(json.dumps(document, indent=2), encoding="utf-8")  # nothing is written from here on
        kept = {parts[name].replace(_path(folder, name, about)) for name in _PARTS}
        parts[_ABOUT].replace(folder / _ABOUT)
        for stale in {path for name in _PARTS for path in folder.glob(f"{name}-*.safetensors")} - kept:
            stale.unlink()
        return Model(self.first, self.network, self.weights, self.means, about)


def load(folder: Path) -> Model:
    """Read a model folder.

    Raises:
        ModelError: It is missing, incomplete, damaged, or of another format.
    """
    try:
        document = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ModelError(f"{folder} is of another format than this version reads. Train again.")
        document.pop("id", None)  # for those who read no more of it
        about = About.model_validate(document)
        paths = {name: _path(folder, name, about) for name in _PARTS}
        if damaged := [path for name, path in paths.items() if _hash(path) != about.files[name]]:
            raise ModelError(f"{damaged[0]} is damaged: its hash is not the one recorded. Train again.")
        arrays = load_arrays(paths["frozen"])
        first, network = Comparison(about.shape), Network(about.shape)
        first.load_state_dict(load_tensors(paths["first"]))
        network.load_state_dict(load_tensors(paths["network"]))
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder} holds no complete model: {Path(error.filename or '').name} is missing. "
            "Run `neo4j-align train`, with --labels FILE where you have labels, or give --model."
        ) from error
    except (OSError, ValueError, ValidationError, SafetensorError, RuntimeError) as error:
        raise ModelError(f"{folder} cannot be read as a model: {str(error).splitlines()[0]}. Train again.") from error
    means = arrays.pop("means")
    return Model(first.eval(), network.eval(), Weights(**arrays), means, about)


def _path(folder: Path, name: str, about: About) -> Path:
    return folder / f"{name}-{about.files.get(name, '')[:12]}.safetensors"


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
