"""Sweeps: thousands of verifications, resumable, on one machine or many.

An item is one pair at one seed and, where parameter sets are given, at one parameter vector. It is
verified there; where rows are given, its counterpart is evaluated on them instead. Results go to a
folder: ``journal.jsonl``, a line an item, in the order in which they were reached;
``certificates/KEY.json`` or ``values/KEY.npy``; at the end ``summary.json``. A key is the SHA-256
of all that an item's result depends on, so the same command goes on where a killed one stopped, and
a larger one adds what is new.
"""
