"""The contact sheet of `fanbeam preview`: cells, panels, fonts, and the sheet they make."""
