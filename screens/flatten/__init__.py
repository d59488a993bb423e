"""Taking positions flat: what would be sent and why not, the typed answer, how it goes, the certificate."""
