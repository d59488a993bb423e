"""What may be typed behind `:`: one grammar, what each line asks for, and the line for what was asked."""
