"""Parameters that ``_train.py`` found, by name."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent / "trained"


def trained(name):
    """Parameters of ``trained/<name>.json``, or None before the first training."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["parameters"] if path.exists() else None
