"""What stands before the column of a field, in place of its header alone."""

FIXED = "="
"""Before a value that is the same for every row, such as `=zerodha`."""

AS_READ = "#"
"""Before the header of a column whose numbers are right as they are read, with no zeros in front."""
