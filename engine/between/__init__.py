"""What several desks tell each other beside their books: all of it may be lost at any moment."""
