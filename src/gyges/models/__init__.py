"""Whoever answers a model call: OpenAI, Anthropic, servers that speak their formats, and organisms."""
