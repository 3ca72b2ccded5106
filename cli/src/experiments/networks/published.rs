//! Published results, for comparison in the reports.
//!
//! From the data frames that the authors publish with their code (hadivafaii/IterativeVAE, MIT): arXiv
//! 2410.19315, Table 2, means over seeds; figure 3, models trained with T = 16 on whitened van Hateren patches.

/// A row of Table 2: MNIST test images, 512 latents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table2 {
    /// Our name of the model.
    pub name: &'static str,
    /// T and β it was trained with, and its networks.
    pub settings: &'static str,
    /// R² per image.
    pub r2: f64,
    /// Squared error per image.
    pub squared_error: f64,
    /// Fraction of zeros.
    pub zeros: f64,
    /// Accuracy of a logistic regression on the representation.
    pub accuracy: f64,
}

/// Table 2.
pub(super) const TABLE2: &[Table2] = &[
    Table2 {
        name: "iP-VAE",
        settings: "T 128, β 128",
        r2: 0.951,
        squared_error: 3.44,
        zeros: 0.844,
        accuracy: 0.965,
    },
    Table2 {
        name: "iG_relu-VAE",
        settings: "T 32, β 32",
        r2: 0.905,
        squared_error: 6.66,
        zeros: 0.786,
        accuracy: 0.957,
    },
    Table2 {
        name: "iG-VAE",
        settings: "T 64, β 64",
        r2: 0.914,
        squared_error: 5.98,
        zeros: 0.0,
        accuracy: 0.927,
    },
    Table2 {
        name: "P-VAE",
        settings: "conv encoder and decoder",
        r2: 0.713,
        squared_error: 19.98,
        zeros: 0.838,
        accuracy: 0.979,
    },
    Table2 {
        name: "G-VAE",
        settings: "conv encoder and decoder",
        r2: 0.841,
        squared_error: 11.29,
        zeros: 0.0,
        accuracy: 0.958,
    },
    Table2 {
        name: "PC",
        settings: "64 latents",
        r2: 0.896,
        squared_error: 7.24,
        zeros: 0.0,
        accuracy: 0.907,
    },
];

/// A curve of figure 3: R² of one sample, at inference steps counted from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convergence {
    /// Our name of the model.
    pub name: &'static str,
    /// R² after 16 steps.
    pub at_16: f64,
    /// R² after 1000 steps.
    pub at_1000: f64,
    /// Fraction of zeros after 1000 steps.
    pub zeros: f64,
}

/// Figure 3.
pub(super) const FIGURE3: &[Convergence] = &[
    Convergence {
        name: "iP-VAE",
        at_16: 0.71,
        at_1000: 0.830,
        zeros: 0.77,
    },
    Convergence {
        name: "iG_relu-VAE",
        at_16: 0.770,
        at_1000: 0.820,
        zeros: 0.58,
    },
    Convergence {
        name: "iG-VAE",
        at_16: 0.850,
        at_1000: 0.874,
        zeros: 0.0,
    },
];
