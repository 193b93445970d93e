"""A matplotlib figure as SVG inside a page (colours follow the page's theme), or as a file."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

#: Colours of figures, by the page's variable of the same name. The series' colours are those of
#: M. Okabe and K. Ito, "Color universal design" (2008), which the colour-blind tell apart.
COLOURS = {
    "ink": "#1b1f24",
    "muted": "#59636e",
    "rule": "#d1d9e0",
    "paper": "#fefefe",
    "blue": "#0072b2",
    "vermilion": "#d55e00",
    "green": "#009e73",
    "purple": "#b5538f",
    # faces of boxes
    "feature": "#dcecf8",
    "trained": "#f1f3f5",
    "readout": "#fbe6d8",
}

#: Settings of every figure: text stays text, lines thin, no upper and right frame.
SETTINGS: Any = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.6,
    "legend.fontsize": 9.0,
    "mathtext.fontset": "dejavusans",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": COLOURS["rule"],
    "grid.linewidth": 0.6,
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "legend.frameon": False,
    "lines.solid_capstyle": "round",
}

#: Formats in which figures are written for papers, and dots an inch of those that have pixels.
FORMATS = ("pdf", "png")
DPI = 200
#: Lines of more points than this become pixels in a page: text and axes stay vectors.
DENSE = 1500

_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_FAMILY = "'DejaVu Sans', Verdana, sans-serif"


def canvas(width: float, height: float, *, constrained: bool = False) -> Figure:
    """An empty figure, ``width`` by ``height`` inches, that pyplot knows nothing of.

    ``constrained``: matplotlib finds the margins, which takes another drawing of the figure.
    """
    figure = Figure(figsize=(width, height), layout="constrained" if constrained else None)
    FigureCanvasAgg(figure)
    return figure


def inline(figure: Figure, prefix: str, label: str) -> str:
    """The figure as an ``<svg>`` element; the same figure and prefix give the same text.

    Args:
        figure: drawn under :data:`SETTINGS`.
        prefix: of all ids in it, unique in the page.
        label: what it shows, for readers who don't see it.
    """
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}):
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA, dpi=DPI)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r"'DejaVu Sans'(?:, ?(?:'[^']+'|[\w-]+))*", _FAMILY, text)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r' (?:d|x|y|transform|points)="[^"]*"', _hundredths, text)
    text = _own_ids(text, prefix)
    for name, colour in (*COLOURS.items(), ("ink", "#000000"), ("paper", "#ffffff")):
        text = re.sub(colour, f"var(--{name})", text, flags=re.IGNORECASE)
    # Black is SVG's default, so matplotlib leaves it out: the default becomes the theme's ink.
    attributes = f'role="img" aria-label="{_attribute(label)}" style="fill: var(--ink)"'
    return text.replace("<svg ", f"<svg {attributes} ", 1)


def save(figure: Figure, path: Path) -> None:
    """Write the figure on white for a paper, in the format that the path's ending names.

    The same figure gives the same bytes: no date, no version.
    """
    dateless: dict[str, Any] = (
        {"CreationDate": None, "Producer": None, "Creator": None}
        if path.suffix == ".pdf"
        else {"Software": None}
    )
    with mpl.rc_context({"pdf.fonttype": 42}):
        figure.savefig(path, dpi=DPI, facecolor="white", metadata=dateless)


def _hundredths(match: re.Match[str]) -> str:
    """Coordinates to a hundredth of a point."""
    return re.sub(r"(\d\.\d\d)\d+", r"\1", match[0])


def _own_ids(text: str, prefix: str) -> str:
    """Ids with the prefix; those that nothing refers to go."""
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text))
    names = {name for pair in used for name in pair if name}

    def rename(match: re.Match[str]) -> str:
        return f' id="{prefix}-{match[1]}"' if match[1] in names else ""

    text = re.sub(r' id="([^"]+)"', rename, text)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", text)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
