"""Tools for developers of the connector; none of them is deployed."""
