"""Many episodes: concurrency, retries, the call ledger."""
