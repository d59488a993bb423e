"""Where secrets are kept: an encrypted file, or the system's keyring; `data.secrets` chooses between them."""
