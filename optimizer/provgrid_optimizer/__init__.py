"""What to do: engines, plans, the audit and the certificate."""
