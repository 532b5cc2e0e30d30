//! Esclusa for the browser.
