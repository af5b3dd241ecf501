"""Raw tables: any export file, read in pieces of rows of text with their line numbers."""
