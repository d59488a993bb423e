"""What does the jobs of a desk: each kind by the calls of the engine that screens and commands use."""
