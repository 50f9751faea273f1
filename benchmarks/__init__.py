"""How long a sync takes, beside what bounds it and what a user would pick instead."""
