"""What keeps the outputs of a network within a range, read off the range."""

# Rounding carries outputs this far beyond the ends of an activation, and large weights this near to them.
BEYOND, NEAR = 1e-4, 0.1


def cause_of_range(lowest: float, highest: float) -> str:
    """The activation whose range the outputs fill; empty where they fill none.

    Args:
        lowest: of outputs made with weights so large that only an activation can limit them.
        highest: the same.
    """
    fills_one = 1 - NEAR < highest <= 1 + BEYOND
    if 0 <= lowest < NEAR and fills_one:
        return "0 to 1 is the range of a sigmoid"
    if -1 - BEYOND <= lowest < NEAR - 1 and fills_one:
        return "-1 to 1 is the range of a tanh"
    if lowest >= 0 and highest > 1 + BEYOND:
        return "nothing is below 0, as after a ReLU or softplus"
    if highest <= 0 and lowest < -1 - BEYOND:
        return "nothing is above 0, as after a log-sigmoid"
    return ""
