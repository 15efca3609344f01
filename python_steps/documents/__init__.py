"""Steps on the text of documents."""
