"""What check.py and handin.py are made of. Nothing to write here."""
