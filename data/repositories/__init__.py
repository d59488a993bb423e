"""Repositories: the SQL of one subject each, and no rule; rows are objects of a class given to them."""
