"""The gate ``qrun-equiv run``: what was verified, on rows of any number."""

from qrun_equiv.streaming.command import check_command, run_command
from qrun_equiv.streaming.errors import BoundError, RunError
from qrun_equiv.streaming.manifest import verify_manifest
from qrun_equiv.streaming.options import Options
from qrun_equiv.streaming.run import run

__all__ = [
    "BoundError", "Options", "RunError", "check_command", "run", "run_command", "verify_manifest",
]  # fmt: skip
