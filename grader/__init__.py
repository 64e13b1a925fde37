"""An autograder for a university practical on variational and adversarial autoencoders."""
