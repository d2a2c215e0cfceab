"""Names, types and checks of the configuration; the resolvers that conf/ uses."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from gan_lightning.config.checks import leaves
from gan_lightning.config.value_rules import COUNT, RULES, Rule
from gan_lightning.errors import UserError

AUTO = "auto"  # resume=auto: go on with what is in the run's folder, or begin


@dataclass
class TrainConfig:
    """The top level of conf/config.yaml; the groups' own keys are in their YAML files."""

    data: dict[str, Any] = MISSING
    model: dict[str, Any] = MISSING
    loss: dict[str, Any] = MISSING
    penalty: dict[str, Any] = MISSING
    constraint: dict[str, Any] = MISSING
    augment: dict[str, Any] = MISSING
    optimizer: dict[str, Any] = MISSING
    ema: dict[str, Any] = MISSING
    callbacks: dict[str, Any] = field(default_factory=dict)
    logger: dict[str, Any] = field(default_factory=dict)
    trainer: dict[str, Any] = MISSING
    seed: int = 0
    d_steps: int = 1
    g_steps: int = 1
    accumulate: int = 1
    log_every_n_images: int = 3200
    resume: str | None = None
    optimized_metric: str | None = None
    run_dir: str = MISSING


@dataclass
class SampleConfig:
    """The keys of conf/sample.yaml."""

    generator: str | None = None
    num_samples: int = 100
    seed: int = 0
    label: int | None = None
    labels: str = "turn"
    truncation: float | None = None
    output: str | None = None
    overwrite: bool = False
    trust: str | None = None
    accelerator: str = "auto"


@dataclass
class EvaluateConfig:
    """The keys of conf/evaluate.yaml; the first three are one path or a list of paths."""

    generator: Any = None
    images: Any = None
    compare: Any = None
    data: dict[str, Any] = MISSING
    num_samples: int = 10_000
    seed: int = 0
    metrics: dict[str, Any] = field(default_factory=dict)
    output: str | None = None
    overwrite: bool = False
    trust: str | None = None
    accelerator: str = "auto"
    d_steps: int = 1
    accumulate: int = 1


def resolved(config: DictConfig) -> dict[str, Any]:
    """Return a config in plain containers, unchecked."""
    return cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))


def _count_labels(root: str, labels: str | None = None) -> int:
    from gan_lightning.data import count_labels  # takes seconds, and `--help` does not count

    return count_labels(root, labels)


def register() -> None:
    """Make the schema and the resolvers known to Hydra; safe to call twice."""
    store = ConfigStore.instance()
    store.store(name="schema", node=TrainConfig)
    store.store(name="sample_schema", node=SampleConfig)
    store.store(name="evaluate_schema", node=EvaluateConfig)
    resolvers: dict[str, Callable[..., Any]] = {
        "count_labels": _count_labels,
        "divide": lambda a, b: a / b,
        "multiply": lambda a, b: a * b,
        "run_folder": lambda resume, new: new if resume in (None, "", AUTO) else str(resume),
        "sweep_name": lambda num, overrides: re.sub(r"[^\w.+-]+", "-", f"{num}-{overrides}")[:120],
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_new_resolver(name, resolver, replace=True)


def plain_sample(config: DictConfig) -> SampleConfig:
    """Return sample.py's checked settings.

    Raises:
        UserError: a value is wrong.
    """
    asked = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(SampleConfig), config))
    assert isinstance(asked, SampleConfig)
    rules: dict[str, Rule] = {"num_samples": COUNT, "seed": RULES["seed"]}
    for key, rule in rules.items():
        value = getattr(asked, key)
        wrong = rule(value)
        if wrong:
            raise UserError(f"{key}={value} {wrong}")
    return asked


def plain_evaluate(config: DictConfig) -> EvaluateConfig:
    """Return evaluate.py's checked settings, paths as lists.

    Raises:
        UserError: a value is wrong.
    """
    asked = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(EvaluateConfig), config))
    assert isinstance(asked, EvaluateConfig)
    for key in ("generator", "images", "compare"):
        given = getattr(asked, key)
        paths = given if isinstance(given, list) else [] if given is None else [given]
        setattr(asked, key, [str(path) for path in paths])
    found = {"num_samples": asked.num_samples, "seed": asked.seed}
    found |= {f"data.{key}": value for key, value in leaves(asked.data)}
    for key, value in found.items():
        rule = COUNT if key == "num_samples" else RULES.get(key.rpartition(".")[2])
        wrong = rule(value) if rule else None
        if wrong:
            raise UserError(f"{key}={value} {wrong}")
    return asked
