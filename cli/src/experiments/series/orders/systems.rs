//! The systems: two that the constants of the causal filter were set on, three that they were not.

use scotopic_filtering::Result;
use scotopic_filtering::generalised::model::{
    AnyEquations, Equations, FitzHughNagumo, GenerativeModel, Linear, Lorenz, Number, Point, Sizes,
};
use scotopic_filtering::nalgebra::DMatrix;

/// A system, its noise, and the law of its first state.
#[derive(Debug, Clone, Copy)]
pub struct System {
    /// Its name.
    pub name: &'static str,
    /// Whether the constants of the causal filter were set on it.
    pub tuned: bool,
    equations: Kind,
    /// ln of the precisions of z and of w.
    log_precisions: (f64, f64),
    /// The prior mean of the first state.
    pub start: &'static [f64],
    /// Its prior variance; 0 for a known start.
    pub start_variance: f64,
    /// The prior mean of a cause, whose precision is 1.
    cause: f64,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Convolution,
    Lorenz,
    Rossler,
    Lorenz96,
    FitzHughNagumo,
}

/// All systems. Units of time are bins.
pub const SYSTEMS: [System; 5] = [
    System {
        name: "convolution",
        tuned: true,
        equations: Kind::Convolution,
        log_precisions: (8.0, 8.0),
        start: &[0.0, 0.0],
        start_variance: 0.0,
        cause: 0.0,
    },
    System {
        name: "Lorenz",
        tuned: true,
        equations: Kind::Lorenz,
        log_precisions: (0.0, 16.0),
        start: &[0.9, 0.8, 30.0],
        start_variance: 1.0,
        cause: 0.0,
    },
    System {
        name: "Rössler",
        tuned: false,
        equations: Kind::Rossler,
        log_precisions: (0.0, 16.0),
        start: &[1.0, 1.0, 1.0],
        start_variance: 0.1,
        cause: 0.0,
    },
    System {
        name: "Lorenz-96",
        tuned: false,
        equations: Kind::Lorenz96,
        log_precisions: (0.0, 8.0),
        start: &[1.0, 2.0, 3.0, 4.0, 5.0],
        start_variance: 1.0,
        cause: 0.0,
    },
    System {
        name: "FitzHugh–Nagumo",
        tuned: false,
        equations: Kind::FitzHughNagumo,
        log_precisions: (3.0, 8.0),
        start: &[-1.0, -0.5],
        start_variance: 0.25,
        cause: 0.5,
    },
];

impl System {
    /// The model, with another first state than the prior mean where given.
    ///
    /// # Errors
    /// As [`GenerativeModel::single`].
    pub fn model(&self, start: Option<&[f64]>) -> Result<GenerativeModel<AnySystem>> {
        let (equations, theta) = self.equations.with_parameters();
        let (z, w) = self.log_precisions;
        let start = start.unwrap_or(self.start);
        let mut model = GenerativeModel::single(equations, &theta, z.exp(), w.exp(), 1.0, start)?;
        model.cause.mean.fill(self.cause);
        Ok(model)
    }

    /// The prior covariance of the first state; none for a known one.
    pub fn start_covariance(&self) -> Option<DMatrix<f64>> {
        let n = self.start.len();
        (self.start_variance > 0.0).then(|| DMatrix::identity(n, n) * self.start_variance)
    }
}

impl Kind {
    fn with_parameters(self) -> (AnySystem, Vec<f64>) {
        let known = |equations: AnyEquations| {
            let theta = equations.defaults();
            (AnySystem::Known(equations), theta)
        };
        match self {
            Self::Convolution => known(AnyEquations::Linear(Linear::convolution())),
            Self::Lorenz => known(AnyEquations::Lorenz(Lorenz::demonstration())),
            Self::FitzHughNagumo => known(AnyEquations::FitzHughNagumo(FitzHughNagumo::default())),
            Self::Rossler => (AnySystem::Rossler, vec![0.2, 0.2, 5.7]),
            Self::Lorenz96 => (AnySystem::Lorenz96, vec![8.0]),
        }
    }
}

/// Units of Rössler's own time in a bin.
const ROSSLER_BIN: f64 = 0.1;
/// Units of Lorenz-96's own time in a bin: about six hours of its weather.
const LORENZ96_BIN: f64 = 0.05;
/// The places of Lorenz-96 on its circle, and those that are seen.
const PLACES: usize = 5;
const SEEN: [usize; 2] = [0, 2];

/// The equations of any of the systems.
#[derive(Debug, Clone, PartialEq)]
pub enum AnySystem {
    /// One that the library has.
    Known(AnyEquations),
    /// x' = −y − z, y' = x + a y, z' = b + z (x − c), of which x is seen; θ = (a, b, c).
    Rossler,
    /// x_i' = (x_{i+1} − x_{i−2}) x_{i−1} − x_i + F on a circle of five, of which two are seen; θ = F.
    Lorenz96,
}

impl Equations for AnySystem {
    fn sizes(&self) -> Sizes {
        let sizes = |states, outputs, parameters| Sizes {
            states,
            causes: 0,
            outputs,
            parameters,
        };
        match self {
            Self::Known(equations) => equations.sizes(),
            Self::Rossler => sizes(3, 1, 3),
            Self::Lorenz96 => sizes(PLACES, SEEN.len(), 1),
        }
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        match self {
            Self::Known(equations) => equations.f(at, out),
            Self::Rossler => {
                let (&[x, y, z], &[a, b, c]) = (at.x, at.theta) else {
                    return;
                };
                for (o, field) in out.iter_mut().zip([-y - z, x + a * y, b + z * (x - c)]) {
                    *o = field.scaled(ROSSLER_BIN);
                }
            }
            Self::Lorenz96 => {
                let place = |i: usize| at.x[i % PLACES];
                for (i, o) in out.iter_mut().enumerate() {
                    let (next, before) = (place(i + 1), place(i + PLACES - 1));
                    let field = (next - place(i + PLACES - 2)) * before - place(i) + at.theta[0];
                    *o = field.scaled(LORENZ96_BIN);
                }
            }
        }
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        match self {
            Self::Known(equations) => equations.g(at, out),
            Self::Rossler => out[0] = at.x[0],
            Self::Lorenz96 => {
                for (o, place) in out.iter_mut().zip(SEEN) {
                    *o = at.x[place];
                }
            }
        }
    }

    fn is_linear(&self) -> bool {
        matches!(self, Self::Known(equations) if equations.is_linear())
    }

    fn output_sees_causes(&self) -> bool {
        matches!(self, Self::Known(equations) if equations.output_sees_causes())
    }

    fn output_is_linear(&self) -> bool {
        match self {
            Self::Known(equations) => equations.output_is_linear(),
            _ => true,
        }
    }

    fn output_has_parameters(&self) -> bool {
        matches!(self, Self::Known(equations) if equations.output_has_parameters())
    }
}
