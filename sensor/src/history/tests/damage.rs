//! Damaged files.

use super::*;
