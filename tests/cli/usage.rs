//! What is typed wrong.
