"""From graded pairs to figures, each with its uncertainty and with what speaks against it."""
