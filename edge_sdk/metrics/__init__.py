"""How good a model is, with how sure we can be of it.

- :mod:`.intervals`: 95 % intervals, exact for shares and rates, approximate for AUC
- :mod:`.classification`: recall, precision and AUC by label; the one figure the gate looks at
- :mod:`.events`: events and false alarms on long recordings

NumPy only; SciPy is loaded by the first exact quantile.
"""
