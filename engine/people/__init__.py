"""People at a desk: who may do what for which clients, how they sign in, and whose plans others confirm.

A home without a person is its one trader's: nothing here asks anything there.
"""
