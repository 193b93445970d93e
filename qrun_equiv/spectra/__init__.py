"""The spectrum engine: exact frequencies, coefficients of any circuit and counterpart, statistics.

One sign convention, :mod:`qrun_equiv.fourier`'s: ``f(x) = sum_w c_w exp(+i w . x)``.
"""
