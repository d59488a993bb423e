"""Schema migrations; run by `data.migrating`."""
