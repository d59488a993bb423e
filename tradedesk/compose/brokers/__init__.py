"""The way to each broker, paper among them, made of settings and of what stands in the home."""
