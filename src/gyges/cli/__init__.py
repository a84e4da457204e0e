"""The command line: one verb a function. It puts the stages together and knows none of their insides.

Standard output is for results, standard error for progress. What is heavy is imported by the verb that needs it,
so that `gyges --help` answers at once.
"""

# The order of these imports is the order in which `gyges --help` lists the verbs: as a study goes along.
# ruff: noqa: I001
from gyges.cli import authoring, playing, forking, reading, reporting, grading, exchanging, serving, validating
from gyges.cli.app import app, main

__all__ = [
    "app",
    "authoring",
    "exchanging",
    "forking",
    "grading",
    "main",
    "playing",
    "reading",
    "reporting",
    "serving",
    "validating",
]
