//! Weighted voting.
