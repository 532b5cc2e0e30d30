//! Esclusa for Node.
