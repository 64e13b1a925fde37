"""What a year's marks say of the assignment itself: for the exam board, and for next year."""
