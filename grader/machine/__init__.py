"""What is this machine fit for? Answered before the work, without importing anything heavy."""
