"""Orders as a simulated broker holds them: each from its request on, its ways, and the books of all."""
