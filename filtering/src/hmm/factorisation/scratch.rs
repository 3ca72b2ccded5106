//! Workspaces: no part of any state.

/// Numbers whose values mean nothing between calls: equal to any other, left out of files.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch(Vec<f64>);

impl Scratch {
    /// The memory for `len` numbers; allocates only where there is not that much yet.
    pub fn of(&mut self, len: usize) -> &mut Vec<f64> {
        if self.0.len() != len {
            self.0.resize(len, 0.0);
        }
        &mut self.0
    }

    /// What was last written.
    pub fn last(&self) -> &[f64] {
        &self.0
    }
}

impl PartialEq for Scratch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
