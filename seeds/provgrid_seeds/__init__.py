"""What is known: documents, tables of public figures and built-in scenarios."""
