"""Text as the name of a file: it names one in the folder that was asked for, whatever it holds."""

from urllib.parse import quote


def file_name(text: str) -> str:
    """A part of a file's name; letters and digits of any script stay, separators and controls are percent-encoded."""
    kept = "".join(c if c.isalnum() or c in "-_ ()" else quote(c, safe="", errors="surrogatepass") for c in text)
    return kept.replace("..", "%2E%2E")
