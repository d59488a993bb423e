"""Where a desk is put together: settings, home, paper, Kite, Upstox and Groww, rehearsals."""
