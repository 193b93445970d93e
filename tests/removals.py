"""Take each check away in turn and see that the tests notice: ``python tests/removals.py``.

Works on a copy of the tree in a temporary folder; about fifteen minutes. Arguments: only the files
of the package whose names contain one of them. Exit code 1 if a removal leaves the tests green.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = [
    *("verification", "adversary", "spectral", "checks", "rechecking", "certificate", "scaling"),
    *("points", "witness", "frontends_pennylane", "frontends_counterpart"),
]

#: File of the package, a piece of it, and what stands there without the check.
REMOVALS = [
    (
        "comparison.py",
        "        findings += check_outputs(stacks, batches, scale)\n",
        "        pass\n",
    ),
    ("comparison.py", "        findings += _gradients(job, batches, scale)\n", "        pass\n"),
    ("comparison.py", "        findings += _spectrum(job, neutral, batches, scale, notes)\n", ""),
    ("comparison.py", "    if job.counterpart.weights() != before:", "    if False:"),
    (
        "comparison.py",
        "    job.counterpart.check_is_function(batches[0].x, batches[0].theta, gradients)\n",
        "",
    ),
    ("links.py", "    if error > tolerances.EQUAL:", "    if False:"),
    (
        "comparison.py",
        "            found += links.check_derivatives(source, batches[0], scale, job.gradients)\n",
        "            pass\n",
    ),
    (
        "links.py",
        "    findings = [_differences(source, x, theta, first, scale, kinds)]",
        "    findings = []",
    ),
    (
        "witness.py",
        "        if abs(outputs[name] - value) > _disagreement(finding, value):",
        "        if False:",
    ),
    (
        "witness.py",
        "        if not _confirmed(check.between, by_source, finding.scale):",
        "        if False:",
    ),
    (
        "witness.py",
        "        if recorded is not None and abs(numbers[name] - recorded) > difference / 2:",
        "        if False:",
    ),
    ("frontends/counterpart.py", "        self._check_batches(x, theta, first, size)\n", ""),
    (
        "frontends/counterpart.py",
        "self._check_batch_gradient(x[:_BATCH], theta, first[:_BATCH], size, gradients)",
        "pass",
    ),
    ("frontends/counterpart.py", "states != _random_states() or ", ""),
    (
        "frontends/counterpart.py",
        "        if not torch.equal(before, x.detach()):",
        "        if False:",
    ),
    ("rechecking.py", "    if fresh.status is not old.status:", "    if False:"),
    (
        "rechecking.py",
        "        if old.settings.get(name) != new.settings.get(name):",
        "        if False:",
    ),
    (
        "rechecking.py",
        "        if old.digests.get(name) != found.get(name):",
        "        if False:",
    ),
    ("rechecking.py", "    _compare_checks(old, new)\n", ""),
    ("rechecking.py", "    _compare_witness(old, new)\n", ""),
    ("spectral.py", "        findings += _support(section, residuals, samples, size)\n", ""),
    ("spectral.py", "        findings += _coefficients(section, series, samples, size)\n", ""),
    (
        "frontends/pennylane.py",
        "        self._refuse_lost_gradient(gradient, x, theta)\n        return self._mended",
        "        return self._mended",
    ),
    ("points.py", "    if slopes is not None and domain is None:", "    if False:"),
    (
        "scaling.py",
        "        return np.maximum(self.outputs, least * tolerances.ROUNDING / tolerances.EQUAL)",
        "        return np.maximum(self.outputs, 0 * least)",
    ),
    ("certificate.py", "        if checksum != _checksum(body):", "        if False:"),
]


def main() -> int:
    """Try every removal; print one line each."""
    green = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "tree")
        skip = shutil.ignore_patterns(".venv", ".git", "catalogue", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=skip)
        tests = [f"tests/test_{name}.py" for name in TESTS]
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        wanted = sys.argv[1:] or [""]
        for name, check, without in REMOVALS:
            if not any(part in name for part in wanted):
                continue
            file = copy / "qrun_equiv" / name
            text = file.read_text()
            if check not in text:
                sys.stdout.write(f"GONE   {name}: {check.strip()[:70]}\n")
                green += 1
                continue
            file.write_text(text.replace(check, without))
            done = subprocess.run(
                command, cwd=copy, env=environment, capture_output=True, text=True, check=False
            )
            file.write_text(text)
            green += done.returncode == 0
            mark = "red   " if done.returncode else "GREEN "
            sys.stdout.write(f"{mark} {name}: {check.strip()[:70]}\n")
            sys.stdout.flush()
    return 1 if green else 0


if __name__ == "__main__":
    sys.exit(main())
