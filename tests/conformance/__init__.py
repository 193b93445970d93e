"""Pairs of circuits on which other equivalence checkers are known to answer wrongly, and their kin.

Every case is a pair of circuits, in PennyLane and in Qiskit, with a claim. ``peers.py`` measures
what another tool answers on the same pairs.
"""
