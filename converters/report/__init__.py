"""What a conversion found out: as JSON, as a page and as a table."""
