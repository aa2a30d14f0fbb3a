//! Where scanning runs: on threads of its own, or twice, to compare two engines.
