"""`fanbeam --help`: commands in the groups in which people need them."""

from typing import Any

from typer.core import TyperGroup

GROUPS: dict[str, tuple[str, ...]] = {
    "Start": ("demo", "init", "check", "plan", "preview", "run"),
    "Inspect": ("verify", "replay", "audit"),
    "Reference": ("transforms", "resources", "schema"),
}
_WIDTH = 66
"""What is left of 80 columns beside the longest name."""


class CommandGroups(TyperGroup):
    """Lists every command once, with the first line of its help uncut."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group."""
        for title, names in GROUPS.items():
            with formatter.section(title):
                lines = [(name, self.commands[name].get_short_help_str(_WIDTH)) for name in names]
                formatter.write_dl(lines, col_spacing=2, col_max=12)
