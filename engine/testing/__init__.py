"""What tests of the engine and of its plugins stand on."""
