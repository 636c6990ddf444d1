"""Where names of files begin: each path of the config is a root of its own, so that no name depends on the others."""

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from pipeline.errors import InputError, Problem
from pipeline.escaping.url_credentials import masked
from pipeline.storage.folder import Folder, is_url
from pipeline.storage.local_files import Found

_REMEDY = "Give the folder above both as `input.root`: then names count from there."
_SHOWN = 5
Expanded = Sequence[tuple[Folder, list[Found]]]


def together(expanded: Expanded, given: str | None) -> tuple[Folder, list[Found]]:
    """The files of several paths, each once, under one folder.

    Names of the first path's files count from that path. Those of a path elsewhere begin with the name of its folder:
    another path at the end of the list leaves all names before it alone. `given`: a folder above all of them that names
    count from instead. Raises InputError where two files would have one name.
    """
    if given is not None:
        root = Folder.at(given)
        _refuse_outside(root, expanded)
        places = {folder.url: _below(folder.url, root.url) for folder, _ in expanded}
    else:
        prefixes = _prefixes([folder.url for folder, _ in expanded])
        root, places = _root(prefixes), prefixes
    found: dict[str, Found] = {}
    seen: set[str] = set()
    for folder, files in expanded:
        for file in files:
            where = folder.full(file.path)
            if where not in seen:
                name = posixpath.join(places[folder.url], file.path)
                if root.full(name) != where:
                    raise _doubled(name, where, root.full(name))
                seen.add(where)
                found[name] = replace(file, path=name)
    return root, [found[name] for name in sorted(found)]


def _prefixes(urls: Sequence[str]) -> dict[str, str]:
    """What names of each root begin with."""
    found: dict[str, str] = {}
    for url in dict.fromkeys(urls):
        above = next((other for other in found if url.startswith(other.rstrip("/") + "/")), None)
        if not found:
            found[url] = ""
        elif above is not None:
            found[url] = posixpath.join(found[above], _below(url, above))
        else:
            found[url] = _unused(url, set(found.values()))
    return found


def _unused(url: str, used: set[str]) -> str:
    """The last part of a path that no root before it is called."""
    parts = [part for part in url.split("://")[-1].split("/") if part]
    names = ("/".join(parts[-count:]) for count in range(1, len(parts) + 1))
    name = next((name for name in names if name not in used), None)
    if name is None:
        raise InputError(f"names of files in {url} cannot be told apart from those of other paths. {_REMEDY}")
    return name


def _root(prefixes: dict[str, str]) -> Folder:
    """The folder above all roots, which knows where in it each of them is."""
    urls = list(prefixes)
    if len(urls) == 1:
        return Folder(urls[0])
    top = _common(urls)
    parts = tuple((prefix, _below(url, top)) for url, prefix in prefixes.items())
    if all(prefix == place for prefix, place in parts):
        return Folder(top)
    return Folder(top, tuple(sorted(parts, key=lambda part: -len(part[0]))))


def _common(urls: list[str]) -> str:
    if any(is_url(u) for u in urls):
        schemes = {u.split("://")[0] if is_url(u) else "file" for u in urls}
        if len(schemes) > 1:
            raise InputError(f"the paths of one input must lie in one kind of storage, not {sorted(schemes)}")
        return f"{schemes.pop()}://{posixpath.commonpath([u.split('://')[1] for u in urls])}"
    return posixpath.commonpath(urls)


def _below(url: str, top: str) -> str:
    """The path of a folder within one above it, or that it is."""
    return url.removeprefix(top).strip("/")


def _refuse_outside(root: Folder, expanded: Expanded) -> None:
    outside = [f.url for f, _ in expanded if f.url != root.url and not f.url.startswith(root.url.rstrip("/") + "/")]
    if outside:
        message = f"input.root is {masked(root.url)!r}, and {', '.join(outside[:_SHOWN])} lies elsewhere"
        raise InputError(message, (Problem("input.root", f"{message}.", "Give a folder above every path."),))


def _doubled(name: str, one: str, other: str) -> InputError:
    message = f"{one} and {other} would both be called {name!r}"
    return InputError(message, (Problem("input.path", f"{message}.", _REMEDY),))
