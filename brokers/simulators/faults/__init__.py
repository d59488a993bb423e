"""A broker that goes wrong on purpose, by chance and seed, around any simulated one."""
