"""What alerts keep: those that were raised, the rules that raise them, and what carries them out of here."""
