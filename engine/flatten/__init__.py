"""Taking positions flat: what is cancelled first, what is sent against the broker's net, the certificate."""
