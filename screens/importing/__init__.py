"""A list of clients on its way in: what each column is taken for, what each row would do, and the answer."""
