"""What was a failed check's call, what came, what was expected? A check is run again and listened to."""
