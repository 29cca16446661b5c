"""Where untrusted code runs when points depend on it: a sandbox that bubblewrap makes out of Linux namespaces.

`bwrap` says what is in a sandbox and what it may use, and starts a program there; `seccomp` is the list of system
calls that are refused; `probe` proves on the machine at hand that every denial and every limit works; `isolation` is
the choice that an instructor makes.
"""
