//! Labels and names that become known after their packets were counted.

use super::*;
