"""Commands of a desk that is more than one process: jobs, and what does them."""
