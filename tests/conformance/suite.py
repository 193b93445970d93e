"""All cases, and what MQT QCEC was measured to answer on them."""

from __future__ import annotations

import json
from pathlib import Path

from conformance.building import Case
from conformance.constructs import TEMPLATES, WIRES
from conformance.expressions import EXPRESSIONS
from conformance.layouts import LAYOUTS
from conformance.measured import MEASURED
from conformance.names import NAMES
from conformance.subcircuits import SUBCIRCUITS

CASES: list[Case] = [
    *EXPRESSIONS,
    *LAYOUTS,
    *MEASURED,
    *NAMES,
    *SUBCIRCUITS,
    *WIRES,
    *TEMPLATES,
]

#: Written by ``peers.py --write``: the tool, and its answer for each case in Qiskit.
PEERS = Path(__file__).with_name("peers.json")


def recorded() -> dict[str, str]:
    """Case name to MQT QCEC's answer, as recorded."""
    return dict(json.loads(PEERS.read_text(encoding="utf-8"))["answers"])
