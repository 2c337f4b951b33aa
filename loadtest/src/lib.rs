//! Benchmarks of the parts, each beside a peer or a floor measured in the same run.
