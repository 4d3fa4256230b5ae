//! What holds for every graph.
