"""A field's config -> the codec, recipes and gate that a worker uses for it; built once per process."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b

from pydantic import TypeAdapter

from pipeline.config.schema import AnyField, AudioField, FieldConfig, ImageField, JobConfig, VideoField, VolumeField
from pipeline.modalities.codecs import Codec
from pipeline.modalities.codecs.of_field import codec_of
from pipeline.modalities.labels.binding import Bindings
from pipeline.rendering.quality import AudioQuality, ImageQuality, Quality, TextQuality, VideoQuality, VolumeQuality
from pipeline.sources import assets
from transforms.recipe import Recipe, build_recipe
from transforms.registry import partners, references
from transforms.steps import leaves, read_steps

_FIELDS: TypeAdapter[dict[str, dict[str, FieldConfig]]] = TypeAdapter(dict[str, dict[str, FieldConfig]])


@dataclass(frozen=True, slots=True)
class FieldTools:
    """What renders one field. Not shared between threads: recipes hold the libraries' own state."""

    name: str
    modality: str
    codec: Codec
    prepare: Recipe
    augment: Recipe
    gate: Quality | None
    retries: int
    bindings: Bindings = field(default_factory=dict)
    """Labels of other columns that follow the value."""
    label_check: float = 0.0
    """Share of copies whose labels are compared with a painting of them."""
    mirror_words: tuple[tuple[str, str], ...] = ()
    """Of a text: pairs of words that change places where the record's picture is mirrored."""
    looks_at_others: bool = False
    """Whether an `augment` step looks at other records, or blends with them."""
    blends: bool = False
    """Whether one blends with them."""
    draws_as: str = ""
    """The field whose seeds it draws from: the first of those that it draws together with; empty for its own."""
    originals_decoded: bool = False
    """Whether originals are written as copies are, not as they came."""
    seed_name: str = field(init=False)
    """What its seeds are named by."""
    prepares: bool = field(init=False)
    augments: bool = field(init=False)

    def __post_init__(self) -> None:
        """Find out once what every copy asks."""
        object.__setattr__(self, "seed_name", self.draws_as or self.name)
        object.__setattr__(self, "prepares", bool(self.prepare))
        object.__setattr__(self, "augments", bool(self.augment))


def tools_of(config: JobConfig) -> tuple[FieldTools, ...]:
    """Tools for every field, in config order. Raises RecipeError for a recipe that cannot be built."""
    words = tuple(sorted(config.mirror_words.items()))
    return _tools(config.model_dump_json(include={"fields"}), words, config.draw_groups)


@lru_cache(maxsize=4)
def _tools(
    fields: str, mirror_words: tuple[tuple[str, str], ...], draw_groups: tuple[tuple[str, ...], ...]
) -> tuple[FieldTools, ...]:
    assets.connect()
    parsed = _FIELDS.validate_json(fields)["fields"]
    first = {name: group[0] for group in draw_groups for name in group}
    made = (_field_tools(name, field, mirror_words) for name, field in parsed.items())
    return tuple(replace(tools, draws_as=first.get(tools.name, "")) for tools in made)


def together(tools: tuple[FieldTools, ...]) -> tuple[tuple[FieldTools, ...], ...]:
    """Fields that draw together as one, where the first of them stands; each other one alone."""
    groups: dict[str, list[FieldTools]] = {}
    for field_tools in tools:
        groups.setdefault(field_tools.seed_name, []).append(field_tools)
    return tuple(map(tuple, groups.values()))


def recipe_digest(config: JobConfig) -> str:
    """Short digest of all recipes of a job, as it stands in the lineage."""
    parts = [f"{t.name}\0{t.prepare.digest}\0{t.augment.digest}" for t in tools_of(config)]
    parts += ["\0".join(("same_draws", *group)) for group in config.draw_groups]
    parts += [f"{one}\0{other}" for one, other in sorted(config.mirror_words.items())]
    return blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()


def _field_tools(name: str, config: AnyField, mirror_words: tuple[tuple[str, str], ...]) -> FieldTools:
    steps = list(leaves(read_steps(config.augment).nodes))
    blends = any(partners(step) for step in steps)
    return FieldTools(
        name=name,
        modality=config.type,
        codec=codec_of(config),
        prepare=build_recipe(config.prepare, config.type),
        augment=build_recipe(config.augment, config.type),
        gate=_gate(config),
        retries=config.quality.retries if config.quality else 0,
        bindings=config.bound(),
        looks_at_others=blends or any(references(step) for step in steps),
        blends=blends,
        originals_decoded=config.originals == "decoded",
        label_check=float(getattr(config.quality, "label_check", 0.0)),
        mirror_words=mirror_words if config.type == "text" else (),
    )


def _gate(field: AnyField) -> Quality | None:
    if field.quality is None:
        return None
    settings = field.quality.model_dump(exclude={"retries", "label_check"})
    if isinstance(field, ImageField):
        return ImageQuality(**settings)
    if isinstance(field, VolumeField):
        return VolumeQuality(**settings)
    if isinstance(field, VideoField):
        return VideoQuality(**settings)
    return AudioQuality(**settings) if isinstance(field, AudioField) else TextQuality(**settings)
