"""What a plan hands over to others: tables in the formats they read, and files that make a plan act."""
