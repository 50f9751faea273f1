"""What only developers of the connector need; nothing of it is deployed."""
