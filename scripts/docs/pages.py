"""Hooks of mkdocs: the README is the first page, and files of the repository that pages link to become pages.

So every link of the Markdown files works on the site as it does in the repository.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

TOP = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_LANGUAGES = {".yaml": "yaml", ".py": "python", ".sh": "bash", ".toml": "toml"}


def on_files(files: Any, config: Any) -> Any:
    """Add the README as `index.md`, and a page for each file outside of `docs/` that a page links to."""
    linked = {place for page in _pages() for place in _outside(page)}
    inside = {f.relative_to(TOP).as_posix() for place in linked for f in _files_of(TOP / place)}
    for place in sorted({"README.md", *linked, *inside}):
        files.append(File.generated(config, _page_of(place), content=_content(TOP / place)))
    return files


def _files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _LANGUAGES) if folder.is_dir() else []


def _content(path: Path) -> str:
    """A Markdown file, another file as a block of code, or the list of a folder's files."""
    if path.suffix == ".md":
        return _inside(path)
    place = path.relative_to(TOP).as_posix()
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in _files_of(path)]
        return f"# {place}\n\n" + "".join(f"- [{name}]({name}.md)\n" for name in names)
    text = path.read_text(encoding="utf-8").rstrip()
    return f"# {place}\n\n```{_LANGUAGES.get(path.suffix, 'text')}\n{text}\n```\n"


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Let links to files outside of `docs/` lead to their pages."""
    if page.file.generated_by is not None:
        return markdown
    here = posixpath.join("docs", posixpath.dirname(page.file.src_uri))
    return _LINK.sub(lambda link: _relinked(link, here, posixpath.dirname(page.file.src_uri)), markdown)


def _pages() -> list[Path]:
    return [*sorted((TOP / "docs").rglob("*.md")), TOP / "README.md", TOP / "CONTRIBUTING.md"]


def _outside(page: Path) -> list[str]:
    """Files and folders of the repository that a page links to and that are not below `docs/`, by their paths."""
    here = page.parent.relative_to(TOP).as_posix()
    places = [posixpath.normpath(posixpath.join(here, link[2])) for link in _LINK.finditer(page.read_text("utf-8"))]
    return [place for place in places if not place.startswith(("docs/", "http", "..")) and (TOP / place).exists()]


def _page_of(place: str) -> str:
    if place == "README.md":
        return "index.md"
    return f"files/{place}/index.md" if (TOP / place).is_dir() else f"files/{place.removesuffix('.md')}.md"


def _inside(path: Path) -> str:
    """A Markdown file from outside of `docs/`, with links as they are from its page."""
    place = path.relative_to(TOP).as_posix()
    here, there = posixpath.dirname(place), posixpath.dirname(_page_of(place))
    return _LINK.sub(lambda link: _relinked(link, here, there), path.read_text(encoding="utf-8"))


def _relinked(link: re.Match[str], here: str, there: str) -> str:
    """A link of a file in `here`, from a page in `there`."""
    place = posixpath.normpath(posixpath.join(here, link[2]))
    if link[2].startswith("http") or not (TOP / place).exists():
        return link[0]
    target = place.removeprefix("docs/") if place.startswith("docs/") else _page_of(place)
    return f"{link[1]}{posixpath.relpath(target, there or '.')}{link[3] or ''}{link[4]}"
