"""Which libraries there are, and how a name such as `albumentations.Blur` is found.

A new library is one adapter module (see `interface`) and one line in `LIBRARIES`. Third-party packages add theirs by
the entry point group `fanbeam.transforms`: the entry point's name is the library's, its value the adapter module.
Nothing here imports a library before a name asks for it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata, util
from typing import Any, cast

from transforms.adapter_checks import nearest
from transforms.interface import Adapter, Description, MissingLibrary, Mixed, Resource, StepProblem
from transforms.steps import Step
from transforms.values import LABEL_KINDS

ENTRY_POINTS = "fanbeam.transforms"


@dataclass(frozen=True, slots=True)
class Library:
    """Where the adapter of a library is, the package that must be there for it, and the extra that brings that."""

    adapter: str
    package: str
    extra: str

    @property
    def installed(self) -> bool:
        """Whether the package is there. It is not imported."""
        return util.find_spec(self.package) is not None

    @property
    def remedy(self) -> str:
        """The command that installs it."""
        return f"pip install 'fanbeam[{self.extra}]'"


LIBRARIES = {
    "albumentations": Library("transforms.albumentations.adapter", "albumentations", "images"),
    "audiomentations": Library("transforms.audiomentations.adapter", "audiomentations", "audio"),
    "fanbeam": Library("transforms.fanbeam.adapter", "numpy", ""),
    "keras": Library("transforms.keras.adapter", "keras", "keras"),
    "nlpaug": Library("transforms.nlpaug.adapter", "nlpaug", "text"),
    "pillow": Library("transforms.pillow.adapter", "PIL", "images"),
    "tf": Library("transforms.tensorflow.adapter", "tensorflow", "keras"),
    "torchvision": Library("transforms.torchvision.adapter", "torchvision", "torch"),
    "vidaug": Library("transforms.video.vidaug_adapter", "cv2", "video"),
    "video": Library("transforms.video.adapter", "cv2", "video"),
}
_TWIN = 0.8


def libraries() -> tuple[str, ...]:
    """Every library that a recipe may name, installed or not, sorted."""
    return tuple(sorted({*LIBRARIES, *_entry_points()}))


def absent() -> dict[str, str]:
    """Libraries that are not installed, each with the command that installs it."""
    return {name: library.remedy for name, library in sorted(LIBRARIES.items()) if not library.installed}


@cache
def adapter(library: str) -> Adapter:
    """Give the adapter module of a library.

    Raises LookupError for a library that nobody registered and MissingLibrary for one that is not installed.
    """
    if library in LIBRARIES:
        known = LIBRARIES[library]
        if not known.installed:
            raise MissingLibrary(f"{library} is not installed: {known.remedy}", name=library)
        return cast(Adapter, import_module(known.adapter))
    if library not in _entry_points():
        raise LookupError(f"no library {library!r}; there are: {', '.join(libraries())}")
    return _third_party(library)


def find(name: str) -> tuple[Adapter, str]:
    """Give the adapter and the class of `library.Class`. Raises LookupError or MissingLibrary."""
    library, _, cls = name.partition(".")
    found = adapter(library)
    if cls not in found.names():
        raise LookupError(f"{library} has no transform {cls!r}")
    return found, cls


def carries(name: str, modality: str = "") -> frozenset[str]:
    """Kinds of labels that stay right through a step of `library.Class` on values of `modality`. Raises as `find`.

    Where a class works on a part of the value, on the frames or the sound of a video, kinds that no value of its own
    modality could hold stay as they are.
    """
    found, cls = find(name)
    known = getattr(found, "carries", None)
    carried: frozenset[str] = known(cls) if known else frozenset()
    own = found.modality(cls)
    if modality in ("", own):
        return carried
    return carried | (frozenset(LABEL_KINDS[modality]) - frozenset(LABEL_KINDS[own]))


def needs(name: str) -> frozenset[str]:
    """Kinds of labels without which a step of `library.Class` cannot work. Raises as `find`."""
    found, cls = find(name)
    known = getattr(found, "needs", None)
    return known(cls) if known else frozenset()


def bends(name: str) -> bool:
    """Whether straight lines may come out of a step of `library.Class` bent or torn. Raises as `find`."""
    found, cls = find(name)
    known = getattr(found, "bends", None)
    return bool(known and known(cls))


def mirrors(name: str, params: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool] | None:
    """Tell of a draw of a step whether it turned left to right; None if it never does. Raises as `find`."""
    found, cls = find(name)
    known = getattr(found, "mirrors", None)
    return known(cls, params) if known else None


def mixes(name: str, params: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Mixed] | None:
    """Tell of a draw of a step which other records it blended in; None if it never does. Raises as `find`."""
    found, cls = find(name)
    known = getattr(found, "mixes", None)
    return known(cls, params) if known else None


def partners(step: Step) -> str | None:
    """Scope of the records that a step blends with; None for none, and for names that nobody knows."""
    scope: str | None = _asked(step, "partners")
    return scope


def references(step: Step) -> tuple[str, int] | None:
    """Scope and number of other records that a step looks at; None for none, and for names that nobody knows."""
    found: tuple[str, int] | None = _asked(step, "references")
    return found


def modalities(name: str) -> frozenset[str]:
    """Every modality that `library.Class` works on. Raises as `find`."""
    return _modalities(*find(name))


def places(step: Step) -> tuple[str, ...]:
    """Locations of the files that a step mixes in; none for names that nobody knows."""
    return tuple(_asked(step, "places") or ())


def describe(name: str) -> Description:
    """Parameters, defaults and docstring of `library.Class`. Raises as `find`."""
    found, cls = find(name)
    return found.describe(cls)


def all_names(modality: str = "") -> tuple[str, ...]:
    """Every `library.Class` of the installed libraries, sorted; of one modality if given. Imports the libraries."""
    return tuple(
        sorted(
            f"{library}.{cls}"
            for library in libraries()
            if (found := _if_installed(library)) is not None
            for cls in found.names()
            if not modality or modality in _modalities(found, cls)
        )
    )


def versions(steps: Iterable[Step]) -> dict[str, str]:
    """Versions that decide the bytes of these steps: distributions, and data outside of them.

    Does not import the libraries. Raises LookupError or MissingLibrary.
    """
    found: dict[str, str] = {}
    for step in steps:
        library, _, cls = step.name.partition(".")
        module = adapter(library)
        found.update(_installed(module.DISTRIBUTIONS))
        resources = getattr(module, "resources", None)
        found.update(resources(cls, step.params) if resources else {})
    return dict(sorted(found.items()))


def resource_table() -> tuple[Resource, ...]:
    """What the classes of all libraries need beside their library, and the libraries that are not installed."""
    rows: list[Resource] = []
    for library in libraries():
        found = _if_installed(library)
        if found is None:
            install = f"pip install 'fanbeam[{LIBRARIES[library].extra}]'" if library in LIBRARIES else ""
            rows.append(Resource(f"package {library}", (f"{library}.*",), "", install, install))
            continue
        table = getattr(found, "resource_table", None)
        rows += table() if table else ()
    return tuple(rows)


def preloads(names: Iterable[str]) -> tuple[str, ...]:
    """Modules that these `library.Class` names need: a process that forks workers loads them once for all.

    Names that nobody knows are passed over. Imports the adapters, not the libraries.
    """
    modules: list[str] = []
    for library in sorted({name.partition(".")[0] for name in names}):
        try:
            found = adapter(library)
        except (LookupError, MissingLibrary):
            continue
        modules += [str(getattr(found, "__name__", "")), *getattr(found, "PRELOAD", ())]
    return tuple(filter(None, modules))


def name_problem(name: str, modality: str) -> StepProblem | None:
    """Say what is wrong with a name in a recipe for values of `modality`, with the nearest right one; else None."""
    library, dot, cls = name.partition(".")
    if not dot:
        return StepProblem((name,), f"{name!r} is no step: write library.Class", _anywhere(name, modality))
    if library not in libraries():
        close = nearest(library, libraries())
        return StepProblem((name,), f"no library {library!r}", _in(close, cls, modality) or _anywhere(cls, modality))
    try:
        found = adapter(library)
    except MissingLibrary as error:
        return StepProblem((name,), str(error))
    if cls not in found.names():
        reason = getattr(found, "REFUSED", {}).get(cls)
        message = f"{name} {reason}" if reason else f"{library} has no transform {cls!r}"
        return StepProblem((name,), message, "" if reason else _in(library, cls, modality) or _anywhere(cls, modality))
    if modality not in _modalities(found, cls):
        twin = _anywhere(cls, modality, _TWIN)
        made_for = _plural(found.modality(cls))
        return StepProblem((name,), f"{name} works on {made_for}; this field is {modality}", twin)
    return None


def _asked(step: Step, question: str) -> Any:
    """What the adapter of a step answers; None for what it does not know, and for names that nobody knows."""
    library, _, cls = step.name.partition(".")
    try:
        known = getattr(adapter(library), question, None)
    except (LookupError, MissingLibrary):
        return None
    return known(cls, step.params) if known else None


def _modalities(found: Adapter, cls: str) -> frozenset[str]:
    known = getattr(found, "modalities", None)
    return known(cls) if known else frozenset({found.modality(cls)})


def _plural(modality: str) -> str:
    return {"image": "images", "video": "videos", "volume": "volumes"}.get(modality, modality)


def _in(library: str, cls: str, modality: str) -> str:
    found = _if_installed(library) if library else None
    close = nearest(cls, [name for name in found.names() if modality in _modalities(found, name)]) if found else ""
    return f"{library}.{close}" if close else ""


def _anywhere(cls: str, modality: str, likeness: float = 0.6) -> str:
    by_class = {name.partition(".")[2]: name for name in all_names(modality)}
    return by_class.get(nearest(cls, by_class, likeness), "")


def _if_installed(library: str) -> Adapter | None:
    try:
        return adapter(library)
    except MissingLibrary:
        return None


@cache
def _entry_points() -> dict[str, metadata.EntryPoint]:
    return {point.name: point for point in metadata.entry_points(group=ENTRY_POINTS)}


def _third_party(library: str) -> Adapter:
    point = _entry_points()[library]
    try:
        return cast(Adapter, point.load())
    except ImportError as error:
        raise MissingLibrary(f"{library}, from the entry point {point.value!r}, cannot be imported: {error}") from error


def _installed(distributions: Collection[str]) -> dict[str, str]:
    found = {}
    for distribution in distributions:
        try:
            found[distribution] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return found
