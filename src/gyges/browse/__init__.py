"""Transcripts and figures in a web browser, and as one static file. Nothing here changes a run."""
