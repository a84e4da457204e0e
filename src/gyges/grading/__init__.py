"""Graders: rules over behaviour and reasoning, with located evidence."""
