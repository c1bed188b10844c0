//! Filters: on the command line, on files, and against what independent tools count.

mod truth;
