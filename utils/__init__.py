"""What the curriculum's notebooks import, and the machinery that builds, checks and grades them."""
