"""What days have left to be looked at later, as it is stored."""
