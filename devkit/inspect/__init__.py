"""Report what the API returns for a token, without its texts: `python -m devkit.inspect`."""
