"""Who may do what: rights, passwords, second factors, sessions and tokens as pure rules."""
