"""Augment the fields of one modality: decode once, prepare once, then per copy draw, apply, check and encode."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.config.labels import TokenBinding
from pipeline.modalities.labels.binding import bind
from pipeline.modalities.labels.entry_numbers import of_one
from pipeline.modalities.labels.formats.tags import torn
from pipeline.modalities.labels.writer import moved_labels
from pipeline.planning.job import Job
from pipeline.planning.seeds import field_seed, variant_seed
from pipeline.records import Family, Record, Refusal, Rendered, Variant
from pipeline.rendering.donor_reader import Offer, PeersOfJob, alone
from pipeline.rendering.field_processor import FieldTools, together
from pipeline.rendering.guards import guarded
from pipeline.rendering.held_out.twins import HeldOut, Twins, held_out_of
from pipeline.rendering.label_check.images import disagrees
from pipeline.rendering.mirrored_captions import mirrored, swapped
from pipeline.rendering.quality import check
from pipeline.rendering.same_draws import unlike_sizes
from transforms.interface import Applied
from transforms.isolation.philox import chance
from transforms.values import TextValue, Value

RETRY = "fanbeam.Retry"
_Others = tuple[PeersOfJob, HeldOut]
"""What of other records a copy depends on: those that steps look at, and those that it may not equal."""


def augment(
    tools: tuple[FieldTools, ...], run_seed: int, families: Iterator[Family], job: Job | None = None
) -> Iterator[Family]:
    """Render the given fields of each family. A field that cannot be decoded or prepared fails the family whole.

    `job` is where steps that look at other records find those.
    """
    peers = PeersOfJob(job, lambda field, record: _only_value(_entering(field, run_seed, record)))
    groups, held_out = together(tools), held_out_of(job)
    for family in families:
        for group in groups:
            if family.refusal is None and group[0].name not in family.rendered:
                render = _render_field if len(group) == 1 else _render_together
                family = render(group, run_seed, family, (peers, held_out))
        yield family


@dataclass(frozen=True, slots=True)
class Entering:
    """A record's value as it enters the augment steps: decoded, labeled and prepared; its format, and the steps."""

    source_format: str
    value: Value
    steps: tuple[Applied, ...] = ()


def donor(tools: FieldTools, run_seed: int, records: Iterator[Record]) -> Record | None:
    """One record with what is bound to the field, for others to blend with; None if it cannot be used."""
    for record in records:
        if record.refusal is None and not isinstance(_entering(tools, run_seed, record), Refusal):
            return alone(record, tools)
    return None


def _render_together(group: tuple[FieldTools, ...], run_seed: int, family: Family, others: _Others) -> Family:
    """Render fields that draw together: each attempt at a copy counts for all of them."""
    peers, held_out = others
    renderers = []
    for tools in group:
        entering = _entering(tools, run_seed, family.record)
        if isinstance(entering, Refusal):
            return family.refused(entering)
        renderers.append(_Renderer(tools, family.record, entering, peers.offer(tools, family.record)))
    unlike = unlike_sizes([(r.name, r.value) for r in renderers]) if any(v.copy for v in family.variants) else None
    originals = [renderer.original() for renderer in renderers]
    refused = unlike or next((o.refusal for o in originals if o.refusal is not None), None)
    if refused is not None:
        return family.refused(refused)
    made = [
        originals if v.copy == 0 else _copies(renderers, v, held_out.of(family, number))
        for number, v in enumerate(family.variants)
    ]
    rendered = {tools.name: tuple(of_variant[n] for of_variant in made) for n, tools in enumerate(group)}
    return Family(family.record, family.variants, {**family.rendered, **rendered})


def _render_field(group: tuple[FieldTools, ...], run_seed: int, family: Family, others: _Others) -> Family:
    (tools,), (peers, held_out) = group, others
    entering = _entering(tools, run_seed, family.record)
    if isinstance(entering, Refusal):
        return family.refused(entering)
    renderer = _Renderer(tools, family.record, entering, peers.offer(tools, family.record))
    original = renderer.original()
    if original.refusal is not None:
        return family.refused(original.refusal)
    rendered = []
    for number, variant in enumerate(family.variants):
        twins = held_out.of(family, number)
        if tools.mirror_words and mirrored(family, number):
            rendered.append(renderer.mirrored(variant, twins))
        elif variant.copy == 0 or not tools.augments:
            refused = None if twins is None else twins.refusal({tools.name: original})
            rendered.append(original if refused is None else Rendered(None, refusal=refused))
        else:
            rendered.append(renderer.copy(variant, twins))
    return Family(family.record, family.variants, {**family.rendered, tools.name: tuple(rendered)})


def _entering(tools: FieldTools, run_seed: int, record: Record) -> Entering | Refusal:
    """Decode, label and prepare a field of a record."""
    payload = record.payloads[tools.name]
    if payload is None:
        return Refusal("failed", tools.name, "read", "null_payload", message="the payload is null")
    decoded = guarded(tools.name, "decode", tools.codec.decode, payload)
    if isinstance(decoded, Refusal):
        return decoded
    value = _labeled(tools, record, decoded.value)
    if isinstance(value, Refusal):
        return value
    prepared = _prepared(tools, run_seed, record.key, value)
    return prepared if isinstance(prepared, Refusal) else Entering(decoded.source_format, *prepared)


def _only_value(entering: Entering | Refusal) -> Value | Refusal:
    return entering if isinstance(entering, Refusal) else entering.value


def _prepared(tools: FieldTools, run_seed: int, key: str, value: Value) -> tuple[Value, tuple[Applied, ...]] | Refusal:
    """The value after the `prepare` steps, drawn once per record; without any it costs nothing."""
    if not tools.prepares:
        return value, ()
    seed = field_seed(variant_seed(run_seed, key, 0), tools.seed_name, "prepare")
    return guarded(tools.name, "prepare", tools.prepare.apply, value, seed)


def _labeled(tools: FieldTools, record: Record, value: Value) -> Value | Refusal:
    """The value with the labels that are bound to it."""
    if not tools.bindings:
        return value
    return guarded(tools.name, "bind", bind, tools.bindings, record.batch, record.index, value)


class _Renderer:
    """One decoded and prepared field of one record; makes its variants."""

    __slots__ = ("_entering", "_offer", "_record", "_tools", "_value")

    def __init__(self, tools: FieldTools, record: Record, entering: Entering, offer: Offer | None) -> None:
        self._tools, self._record, self._entering, self._offer = tools, record, entering, offer
        self._value = entering.value if offer is None else offer.made_to(entering.value)

    def original(self) -> Rendered:
        """Copy 0: the bytes as they came, unless `prepare` steps changed them or the config wants them decoded."""
        if not self._tools.prepares and not self._tools.originals_decoded:
            return Rendered(self._record.payloads[self._tools.name])
        return self._encoded(self._value, self._entering.steps)

    def mirrored(self, variant: Variant, twins: Twins | None) -> Rendered:
        """A variant whose picture is mirrored: words for sides change places, then come the steps as for any other."""
        made = guarded(self._tools.name, "augment", swapped, self._value, self._tools.mirror_words)
        if isinstance(made, Refusal):
            return Rendered(None, refusal=made)
        value, steps = made
        entering = Entering(self._entering.source_format, value, (*self._entering.steps, *steps))
        other = _Renderer(self._tools, self._record, entering, self._offer)
        if variant.copy == 0 or not self._tools.augments:
            return other._encoded(value, entering.steps)
        return other.copy(variant, twins)

    def copy(self, variant: Variant, twins: Twins | None) -> Rendered:
        """A copy, drawn again from a new sub-seed as long as the gate refuses it and retries are left."""
        return _copies((self,), variant, twins)[0]

    @property
    def name(self) -> str:
        """The field."""
        return self._tools.name

    @property
    def value(self) -> Value:
        """What enters the augment steps."""
        return self._value

    @property
    def retries(self) -> int:
        """How often a copy may be drawn again."""
        return self._tools.retries

    def drawn(self, variant: Variant, attempt: int) -> tuple[Value, tuple[Applied, ...]] | Refusal:
        """One attempt at a copy, or why it is not good enough."""
        tools = self._tools
        if not tools.augments:
            return self._value, ()
        seed = field_seed(variant.seed, tools.seed_name, "augment", attempt)
        if self._offer is not None:
            self._offer.begin()
        result = guarded(tools.name, "augment", tools.augment.apply, self._value, seed)
        if isinstance(result, Refusal):
            return result
        reason = self._refused(result[0], seed)
        return result if reason is None else Refusal("rejected", tools.name, "gate", reason)

    def kept(self, drawn: tuple[Value, tuple[Applied, ...]], reasons: list[str]) -> Rendered:
        """A copy that is good enough, written; `reasons` are those of the attempts before."""
        if not self._tools.augments:
            return self.original()
        value, steps = drawn
        before = (*_retry(reasons), *self._entering.steps) if reasons else self._entering.steps
        return self._encoded(value, (*before, *steps) if before else steps)

    def _refused(self, value: Value, seed: bytes) -> str | None:
        """Why a copy is not good enough; None to keep it."""
        tools = self._tools
        reason = None if tools.gate is None else check(value, self._value, tools.gate)
        if reason is not None or not tools.bindings:
            return reason
        if self._torn(value):
            return "token_lost"
        if chance(field_seed(seed, tools.name, "check")) >= tools.label_check:
            return None
        return "labels_disagree" if disagrees(tools.augment, self._value, value, seed) else None

    def _torn(self, value: Value) -> bool:
        """Whether tags of words make no sense any more."""
        binding = self._tools.bindings.get("tokens")
        if not isinstance(binding, TokenBinding) or not isinstance(value, TextValue):
            return False
        own = value.tokens is not None and of_one(value.tokens.rows, 0).all()
        return bool(own) and torn(binding, self._record.batch, self._record.index, value)

    def _encoded(self, value: Value, steps: tuple[Applied, ...]) -> Rendered:
        tools = self._tools
        payload = guarded(tools.name, "encode", tools.codec.encode, value, self._entering.source_format)
        if isinstance(payload, Refusal):
            return Rendered(None, refusal=payload)
        if not tools.bindings:
            return Rendered(payload, steps)
        others = () if self._offer is None else tuple(self._offer.rows())
        place = self._record.batch, self._record.index
        moved = guarded(tools.name, "bind", moved_labels, tools.bindings, place, self._value, value, others)
        if isinstance(moved, Refusal):
            return Rendered(None, refusal=moved)
        return Rendered(payload, steps, changes=moved[0], labels=moved[1])


def _copies(renderers: Sequence[_Renderer], variant: Variant, twins: Twins | None) -> list[Rendered]:
    """A copy of each of some fields that draw together, all drawn again as long as one is refused."""
    reasons: list[str] = []
    refused: Refusal | None = None
    for attempt in range(max([renderer.retries for renderer in renderers]) + 1):
        drawn = []
        for renderer in renderers:
            result = renderer.drawn(variant, attempt)
            if isinstance(result, Refusal):
                refused = result
                break
            drawn.append(result)
        else:
            made = [renderer.kept(one, reasons) for renderer, one in zip(renderers, drawn, strict=True)]
            if twins is None:
                return made
            refused = twins.refusal({r.name: one for r, one in zip(renderers, made, strict=True)})
            if refused is None:
                return made
        if refused.kind == "failed":
            return [Rendered(None, refusal=refused)] * len(renderers)
        reasons.append(refused.reason)
    message = f"refused in every attempt: {', '.join(reasons)}"
    field = renderers[0].name if refused is None else refused.field
    return [Rendered(None, refusal=Refusal("rejected", field, "gate", reasons[-1], message=message))] * len(renderers)


def _retry(reasons: list[str]) -> tuple[Applied]:
    """The lineage entry of a copy that took more than one attempt: which sub-seed, and why not the ones before."""
    listed = ",".join(f'"{r}"' for r in reasons)
    return (Applied(RETRY, f'{{"attempt":{len(reasons)},"refused":[{listed}]}}'),)
