//! Half of what was to be written.

use super::*;
