"""Every sentence and label that a trader reads, on screens, in commands, in alerts and in files."""
