"""Names, types and checks of the configuration; the resolvers that conf/ uses."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar, cast

from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import MISSING, DictConfig, OmegaConf

from gan_lightning.config import Settings
from gan_lightning.config.checks import wrong_arguments, wrong_keys
from gan_lightning.config.value_rules import KEYS
from gan_lightning.errors import UserError
from gan_lightning.ranges import Count, Names, Seed, argument_types, one_of

AUTO = "auto"  # resume=auto: go on with what is in the run's folder, or begin


@dataclass
class TrainConfig:
    """The top level of conf/config.yaml; the groups' own keys are in their YAML files.

    Which of the groups must be there, the method says: see `config/method.py`.
    """

    method: dict[str, Any] = MISSING
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
    share_fakes: bool = False
    accumulate: int = 1
    steps_per_call: int = 1
    log_every_n_images: int = 3200
    resume: str | None = None
    optimized_metric: str | None = None
    run_dir: str = MISSING


@dataclass
class SampleConfig:
    """The keys of conf/sample.yaml."""

    mode: dict[str, Any] = MISSING
    generator: str | None = None
    image: str | None = None
    train_judge: bool = False
    num_samples: Count = 100
    seed: Seed = 0
    label: int | None = None
    labels: Annotated[str, one_of("turn", "joint")] | None = None
    truncation: float | None = None
    output: str | None = None
    overwrite: bool = False
    trust: Names = None
    accelerator: str = "auto"
    data: Any = None  # where the reals are, for the modes that look at them
    model: Any = None  # that a data set chooses for train.py
    d_steps: int = 1
    accumulate: int = 1


@dataclass
class EvaluateConfig:
    """The keys of conf/evaluate.yaml; the first three are one path or a list of paths."""

    generator: Any = None
    images: Any = None
    compare: Any = None
    model: Any = None  # that a data set chooses for train.py
    data: dict[str, Any] = MISSING
    num_samples: Count = 10_000
    seed: Seed = 0
    metrics: dict[str, Any] = field(default_factory=dict)
    output: str | None = None
    overwrite: bool = False
    trust: Names = None
    accelerator: str = "auto"
    d_steps: int = 1
    accumulate: int = 1


Asked = TypeVar("Asked", bound=SampleConfig | EvaluateConfig)


def resolved(config: DictConfig) -> Settings:
    """Return a config in plain containers, unchecked."""
    return cast(Settings, OmegaConf.to_container(config, resolve=True))


def written(config: DictConfig) -> Settings:
    """Return a config in plain containers, its interpolations as they were written."""
    return cast(Settings, OmegaConf.to_container(config, resolve=False))


def _count_labels(root: str, labels: str | None = None) -> int:
    from gan_lightning.data import count_labels  # takes seconds, and `--help` does not count

    return count_labels(root, labels)


def _options_of(group: str) -> str:
    return ", ".join(GlobalHydra.instance().config_loader().get_group_options(group))


def _of_table(what: str, _root_: DictConfig) -> Any:
    from gan_lightning.data import table_size  # takes seconds, too

    data = _root_.data
    return table_size(data)[what] if data.get("name") == "table" else []


def _of_shards(root: str, what: str) -> Any:
    from gan_lightning.data import shards_hold  # takes seconds, too

    return shards_hold(root)[what]


def register() -> None:
    """Make the schema and the resolvers known to Hydra; safe to call twice."""
    store = ConfigStore.instance()
    store.store(name="schema", node=TrainConfig)
    store.store(name="sample_schema", node=SampleConfig)
    store.store(name="evaluate_schema", node=EvaluateConfig)
    resolvers: dict[str, Callable[..., Any]] = {
        "count_labels": _count_labels,
        "of_shards": _of_shards,
        "of_table": _of_table,
        "options_of": _options_of,
        "divide": lambda a, b: a / b,
        "clusters": lambda count, *codes: 0 if any(codes) else count,
        "labels": lambda known, clusters: known or clusters,
        "multiply": lambda a, b: a * b,
        "of_loss": lambda method, loss: f"-{loss}" if method == "gan" else "",
        "run_folder": lambda resume, new: new if resume in (None, "", AUTO) else str(resume),
        "sweep_name": lambda num, overrides: re.sub(r"[^\w.+-]+", "-", f"{num}-{overrides}")[:120],
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_new_resolver(name, resolver, replace=True)


def plain_sample(config: DictConfig) -> SampleConfig:
    """Return sample.py's settings; UserError if a value is wrong."""
    return _checked(SampleConfig, config)


def plain_evaluate(config: DictConfig) -> EvaluateConfig:
    """Return evaluate.py's settings, paths as lists; UserError if a value is wrong."""
    asked = _checked(EvaluateConfig, config)
    for key in ("generator", "images", "compare"):
        given = getattr(asked, key)
        paths = given if isinstance(given, list) else [] if given is None else [given]
        setattr(asked, key, [str(path) for path in paths])
    return asked


def _checked(kind: type[Asked], config: DictConfig) -> Asked:
    asked: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), config))
    values, kinds = vars(asked), argument_types(kind) | KEYS
    for key, value, reason in (*wrong_keys(values, kinds), *wrong_arguments(values)):
        raise UserError(f"{key}={value} {reason}")
    return asked
