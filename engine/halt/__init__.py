"""The emergency: what is cancelled, the round of reads that proves it, and the certificate."""
