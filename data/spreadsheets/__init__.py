"""Tables that people keep in spreadsheets: read as they are, and written so that no cell is a formula."""
