"""Documents, and the program that writes those parts of them that follow from `ENDPOINTS`."""
