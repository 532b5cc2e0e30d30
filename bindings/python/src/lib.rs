//! Esclusa for Python.
