"""Schema migrations; run by `data.schema`."""
