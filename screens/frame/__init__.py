"""What every workspace has: strip, commands, dialogs, exports, the fields of an intent."""
