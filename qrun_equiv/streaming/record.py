"""What a run's manifest says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from qrun_equiv.streaming.journal import Totals
from qrun_equiv.streaming.manifest import write_manifest
from qrun_equiv.streaming.plan import Plan
from qrun_equiv.verification import versions


def record(
    plan: Plan, totals: Totals, setting: Mapping[str, Any], file: dict[str, Any], reason: str = ""
) -> dict[str, Any]:
    """Write the manifest.

    Args:
        plan: the run.
        totals: its counts.
        setting: what a run that is continued takes over.
        file: ``bytes`` and ``sha256`` of the output; empty where the run was stopped.
        reason: why it was.

    Returns:
        The manifest.
    """
    status = "complete" if file else "stopped"
    body: dict[str, Any] = {"status": status, "reason": reason, "run": identity_digest(plan)}
    if not file:
        body["reason"] += f" ({totals.rows} rows before it stand in {plan.output.partial.name})"
    if plan.admission.unverified:
        body["UNVERIFIED"] = f"NO CERTIFICATE COVERS THIS OUTPUT: {plan.admission.unverified}"
    body |= _subject(plan, totals, file) | _counts(plan, totals) | dict(setting)
    return write_manifest(plan.output.path, body)


def identity_digest(plan: Plan) -> str:
    """SHA-256 of what a run must have in common with another one to be the same."""
    return hashlib.sha256(json.dumps(plan.identity, sort_keys=True).encode()).hexdigest()


def _subject(plan: Plan, totals: Totals, file: dict[str, Any]) -> dict[str, Any]:
    """What was run: pair, certificate, input, output, and with what."""
    admission, written = plan.admission, plan.evaluator.output
    box = [[str(v) for v in limits] for limits in admission.box.tolist()]
    return plan.identity | {
        "certificate": dict(admission.record),
        "covers": {"features": box, "epsilon": admission.epsilon},
        "notes": list(admission.notes),
        "input": {"path": plan.rows.described, **plan.rows.identity, "read": totals.input_digest},
        "output": {
            "path": str(plan.output.path),
            "shape": [totals.rows, plan.check.outputs],
            "dtype": written.name,
            **file,
        },
        "versions": versions(),
        "command": plan.options.command,
    }


def _counts(plan: Plan, totals: Totals) -> dict[str, Any]:
    """What was counted and measured."""
    return {
        "rows": totals.rows,
        "rows not finite": totals.not_finite,
        "rows outside": totals.outside,
        "check": {
            "rows in float64": totals.checked,
            "rows by the circuit": totals.native,
            "circuit": plan.check.circuit.simulator,
            "scales": plan.check.bound.scale.outputs.tolist(),
            "worst error": totals.worst_error,
            "worst part of its bound": totals.worst_ratio,
            "worst row": totals.worst_row,
            "worst difference from the circuit": totals.worst_native,
        },
        "batch": totals.batch,
        "batches": totals.batches,
        "seconds": round(totals.seconds, 3),
        "resumed": totals.resumes,
    }
