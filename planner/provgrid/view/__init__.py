"""The local page: runs listed and opened in a browser, their levers moved, solved again and compared. Loopback only."""
