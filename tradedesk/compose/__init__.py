"""Where a desk is put together: settings, home, paper and Kite, rehearsals."""
