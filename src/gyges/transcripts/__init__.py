"""What happened: the record of episodes, its store, import."""
