"""Generators of what topics/ ships: notebooks, the learner's skeleton and the stub. Pure functions of their sources."""
