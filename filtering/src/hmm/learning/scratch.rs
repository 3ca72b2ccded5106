//! Workspaces.

/// Numbers that are written before they are read, so that values which differ in them are equal.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch(Vec<f64>);

impl Scratch {
    /// Workspace for `len` numbers; allocates only if there was less before.
    pub(super) fn room(&mut self, len: usize) -> &mut [f64] {
        if self.0.len() < len {
            self.0.resize(len, 0.0);
        }
        &mut self.0[..len]
    }

    /// Workspace for arrays of these sizes.
    pub(super) fn rooms<const N: usize>(&mut self, sizes: [usize; N]) -> [&mut [f64]; N] {
        let mut rest = self.room(sizes.iter().sum());
        sizes.map(|size| {
            let (room, others) = std::mem::take(&mut rest).split_at_mut(size);
            rest = others;
            room
        })
    }

    /// Exchanges the numbers with those of `other`, of the same size or of none.
    pub(super) fn swap(&mut self, other: &mut Vec<f64>) {
        std::mem::swap(&mut self.0, other);
    }
}

impl PartialEq for Scratch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
