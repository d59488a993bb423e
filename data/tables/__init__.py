"""The SQLModel tables by subject; `columns.py` has the kinds of columns that all are made of."""
