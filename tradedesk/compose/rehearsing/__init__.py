"""Rehearsals: sign-ins and the clock at brokers on this machine, and days that are played again."""
