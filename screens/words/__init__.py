"""The sentences and labels that screens show."""
