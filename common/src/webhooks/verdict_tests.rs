//! Claims about verdicts.
