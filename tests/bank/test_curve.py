"""What fewer checks would miss."""

from tests.bank.curve import curve

KLD, CODES, TRAINING = ("1.7.kld", "a"), ("2.4.autoencoder", "b"), ("1.7.training", "c")


def test_checks_that_catch_nothing_alone_go_first_and_the_dearest_mistakes_last() -> None:
    seconds = {KLD: 1.0, CODES: 2.0, TRAINING: 5.0}
    caught = {
        "sign": frozenset({KLD}),
        "sum": frozenset({KLD}),
        "tanh": frozenset({CODES, TRAINING}),
        "detached": frozenset({TRAINING}),
    }
    steps = curve(seconds, caught)
    assert [step.left_out for step in steps] == [CODES, TRAINING, KLD]
    assert [round(step.share, 3) for step in steps] == [0.75, 0.125, 0.0]
    assert [step.missed for step in steps] == [
        frozenset(),
        frozenset({"tanh", "detached"}),
        frozenset(caught),
    ]


def test_what_no_check_catches_is_missed_from_the_start() -> None:
    assert curve({KLD: 1.0}, {"odd": frozenset()})[0].missed == {"odd"}
