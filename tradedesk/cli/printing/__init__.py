"""What commands print: documents, tables and words, and the streams that they go to."""
