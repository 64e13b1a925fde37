"""Names of the parameters of students' functions."""

from __future__ import annotations

from grader.explain.signatures import parameters_of


def test_a_method_is_called_without_self():
    assert parameters_of("get_loss_autoencoder") == ("x", "recon_x", "z_fake", "lambda_")
    assert parameters_of("KLD") == ("mean", "log_std")


def test_a_name_of_several_classes_says_nothing():
    assert parameters_of("forward") == ()
    assert parameters_of("nothing_of_that_name") == ()
