"""What sales are to the income tax: lots of a demat account first in first out, days netted before."""
