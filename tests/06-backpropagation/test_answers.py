"""Answer cells of topic 06: none yet."""
