//! The museum: each mistake is found from a cold start, and the shipped protocol survives the same runs.
