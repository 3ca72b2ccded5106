//! On GPUs the composed version is used: burn's fusion turns it into one kernel.

use burn_cubecl::CubeBackend;

impl super::SymmetricStep for CubeBackend {}
