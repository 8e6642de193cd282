"""The settings an account decides by, and changes of them."""
