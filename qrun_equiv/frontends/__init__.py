"""Native circuits: evaluation in their own simulators, and translation to the neutral form."""
