//! Hierarchical models: the energy of two levels against finite differences, and against the model of one level that is
//! left when the causes between them are integrated out.

use scotopic_filtering::generalised::dem::{Dem, DemConfig};
use scotopic_filtering::generalised::lap::GeneralisedFiltering;
use scotopic_filtering::generalised::model::{
    CausePrior, Equations, GaussianPrior, GenerativeModel, Level, NoisePrecision, Number, Point,
    Sizes,
};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::generalised::{
    Derivatives, Layout, Local, Stack, TopOrder, error_jacobian, generalised_precision,
    prediction_errors,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::{Result, Sequence};

/// A central difference of step 1e-5 of functions with curvatures of order one.
const DIFFERENCES: f64 = 1e-7;
/// Rounding of inverses of matrices with condition numbers up to 1e6.
const ROUNDING: f64 = 1e-9;

/// x' = A x + B v + bend·sin, y = C x + D v + bend·x².
#[derive(Debug, Clone)]
struct Bent {
    a: DMatrix<f64>,
    b: DMatrix<f64>,
    c: DMatrix<f64>,
    d: DMatrix<f64>,
    bend: f64,
}

impl Equations for Bent {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: self.a.nrows(),
            causes: self.b.ncols(),
            outputs: self.c.nrows(),
            parameters: 0,
        }
    }
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        linear(&self.a, &self.b, at, out);
        for (o, &x) in out.iter_mut().zip(at.x) {
            *o += x.sin().scaled(self.bend);
        }
    }
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        linear(&self.c, &self.d, at, out);
        for o in out.iter_mut() {
            *o += (at.x[0] * at.x[0]).scaled(self.bend);
        }
    }
}

fn linear<T: Number>(a: &DMatrix<f64>, b: &DMatrix<f64>, at: Point<'_, T>, out: &mut [T]) {
    for (i, o) in out.iter_mut().enumerate() {
        *o = T::constant(0.0);
        for (matrix, vector) in [(a, at.x), (b, at.v)] {
            for (j, &v) in vector.iter().enumerate() {
                *o += v.scaled(matrix[(i, j)]);
            }
        }
    }
}

fn matrix(rows: usize, columns: usize, entries: &[f64]) -> DMatrix<f64> {
    DMatrix::from_row_slice(rows, columns, entries)
}

fn level(equations: Bent, output: f64, motion: f64) -> Level<Bent> {
    let sizes = equations.sizes();
    Level {
        parameters: GaussianPrior::known(&[]),
        output: NoisePrecision::scalar(sizes.outputs, output),
        motion: NoisePrecision::scalar(sizes.states, motion),
        start: vec![0.0; sizes.states],
        equations,
    }
}

const Z: [f64; 2] = [20.0, 5.0];
const W: [f64; 2] = [8.0, 3.0];

/// Two states that a cause drives, seen in two outputs; the cause is seen from above by one state with one cause.
fn two_levels(bend: f64) -> GenerativeModel<Bent> {
    let low = Bent {
        a: matrix(2, 2, &[-0.4, 0.8, -0.6, -0.3]),
        b: matrix(2, 1, &[1.0, 0.5]),
        c: matrix(2, 2, &[1.0, 0.2, -0.3, 0.7]),
        d: matrix(2, 1, &[0.0, 0.0]),
        bend,
    };
    let high = Bent {
        a: matrix(1, 1, &[-0.5]),
        b: matrix(1, 1, &[0.7]),
        c: matrix(1, 1, &[1.2]),
        d: matrix(1, 1, &[0.4]),
        bend,
    };
    GenerativeModel {
        levels: vec![level(low, Z[0], W[0]), level(high, Z[1], W[1])],
        cause: CausePrior {
            mean: vec![0.0],
            precision: NoisePrecision::scalar(1, 2.0),
        },
    }
}

/// The same without the cause between the levels, v = C₂ x₂ + D₂ v₂ + z₂: its noise joins that of the lower motion,
/// which then has the covariance W₁⁻¹ + B₁ Z₂⁻¹ B₁ᵀ.
fn flattened() -> Result<GenerativeModel<Bent>> {
    let two = two_levels(0.0);
    let (low, high) = (&two.levels[0].equations, &two.levels[1].equations);
    let mut a = DMatrix::zeros(3, 3);
    a.view_mut((0, 0), (2, 2)).copy_from(&low.a);
    a.view_mut((0, 2), (2, 1)).copy_from(&(&low.b * &high.c));
    a.view_mut((2, 2), (1, 1)).copy_from(&high.a);
    let mut b = DMatrix::zeros(3, 1);
    b.view_mut((0, 0), (2, 1)).copy_from(&(&low.b * &high.d));
    b.view_mut((2, 0), (1, 1)).copy_from(&high.b);
    let mut c = DMatrix::zeros(2, 3);
    c.view_mut((0, 0), (2, 2)).copy_from(&low.c);
    let noise = DMatrix::identity(2, 2) / W[0] + &low.b * low.b.transpose() / Z[1];
    let mut motion = DMatrix::zeros(3, 3);
    let precision = noise.try_inverse().unwrap();
    motion.view_mut((0, 0), (2, 2)).copy_from(&precision);
    motion[(2, 2)] = W[1];
    let d = DMatrix::zeros(2, 1);
    let bend = 0.0;
    let mut one = level(Bent { a, b, c, d, bend }, Z[0], 1.0);
    one.motion = NoisePrecision::known(motion);
    let model = GenerativeModel {
        levels: vec![one],
        cause: two.cause,
    };
    model.check()?;
    Ok(model)
}

/// Σ over the levels: where everything lies, e at ũ and ỹ, and iS.
struct Whole {
    stack: Stack<Bent>,
    layout: Layout,
    precision: DMatrix<f64>,
}

impl Whole {
    fn new(model: GenerativeModel<Bent>, order: usize, s: f64) -> Result<Self> {
        let total = model.totals();
        let layout = Layout {
            outputs: model.outputs(),
            states: total.states,
            causes: total.causes,
            inputs: 1,
            orders: order + 1,
            cause_orders: order + 1,
        };
        let blocks = |parts: Vec<&NoisePrecision>| {
            let size = parts.iter().map(|p| p.fixed.nrows()).sum();
            let mut whole = DMatrix::zeros(size, size);
            let mut at = 0;
            for p in parts {
                let n = p.fixed.nrows();
                whole.view_mut((at, at), (n, n)).copy_from(&p.fixed);
                at += n;
            }
            whole
        };
        let outputs = model.levels.iter().map(|l| &l.output);
        let causes = blocks(outputs.chain([&model.cause.precision]).collect());
        let motion = blocks(model.levels.iter().map(|l| &l.motion).collect());
        let top = TopOrder::Marginal;
        let precision = generalised_precision(&layout, s, top, &causes, &motion)?;
        let stack = Stack::new(model, Derivatives::Exact)?;
        Ok(Self {
            stack,
            layout,
            precision,
        })
    }

    /// e, and J.
    fn errors(&mut self, u: &DVector<f64>, y: &[f64]) -> Result<(DVector<f64>, DMatrix<f64>)> {
        let l = self.layout;
        let mut local = Local::zeros(self.stack.totals());
        let (x, v) = (&u.as_slice()[l.x(0)], &u.as_slice()[l.v(0)]);
        self.stack.evaluate(x, v, &[], &mut local)?;
        let mut e = DVector::zeros(l.errors());
        let eta = vec![0.0; l.input_data()];
        let top = TopOrder::Marginal;
        prediction_errors(&l, &local, u.as_slice(), y, &eta, top, &mut e);
        let mut j = DMatrix::zeros(l.errors(), l.unknowns());
        error_jacobian(&l, &local, top, &mut j);
        Ok((e, j))
    }

    fn energy(&mut self, u: &DVector<f64>, y: &[f64]) -> Result<f64> {
        let e = self.errors(u, y)?.0;
        Ok(0.5 * e.dot(&(&self.precision * &e)))
    }
}

/// Numbers from −1 to 1 without a pattern.
fn numbers(count: usize, seed: usize) -> Vec<f64> {
    let one = |i: usize| ((i * 37 + seed * 101 + 13) as f64 * 0.618).sin();
    (0..count).map(one).collect()
}

/// ∂V/∂ũ = Jᵀ iS e of two levels. Second derivatives of f and g are left out of the higher orders, so for a nonlinear model the
/// motion is at rest there.
#[test]
fn the_gradient_of_two_levels_is_that_of_their_energy() -> Result<()> {
    for (bend, order, seed) in [
        (0.0, 3, 1),
        (0.0, 2, 2),
        (0.6, 0, 3),
        (0.6, 2, 4),
        (0.6, 3, 5),
    ] {
        let mut whole = Whole::new(two_levels(bend), order, 0.6)?;
        let l = whole.layout;
        let y = numbers(l.data(), seed);
        let mut u = DVector::from_vec(numbers(l.unknowns(), seed + 7));
        let moving = |i: usize| !l.x(0).contains(&i) && !l.v(0).contains(&i);
        if bend != 0.0 {
            (0..u.len()).filter(|&i| moving(i)).for_each(|i| u[i] = 0.0);
        }
        let (e, j) = whole.errors(&u, &y)?;
        let gradient = j.tr_mul(&(&whole.precision * e));
        for i in 0..u.len() {
            let h = 1e-5;
            let mut at = |step: f64| {
                let mut u = u.clone();
                u[i] += step;
                whole.energy(&u, &y)
            };
            let slope = (at(h)? - at(-h)?) / (2.0 * h);
            let off = (slope - gradient[i]).abs() / gradient.amax();
            assert!(
                off < DIFFERENCES,
                "bend {bend}, order {order}, {i}: {off:e}"
            );
        }
    }
    Ok(())
}

/// With as many orders of causes as of states, integrating out the cause between two linear levels leaves one level: the
/// least energy is at the same states and top causes, and their covariances are the same.
#[test]
fn two_linear_levels_are_one() -> Result<()> {
    for (order, s) in [(1, 0.5), (2, 0.5), (3, 0.8), (5, 0.5)] {
        let solve = |model, seed| -> Result<_> {
            let mut whole: Whole = Whole::new(model, order, s)?;
            let l = whole.layout;
            let y = numbers(l.data(), seed);
            let (e, j) = whole.errors(&DVector::zeros(l.unknowns()), &y)?;
            let covariance = j.tr_mul(&(&whole.precision * &j)).try_inverse().unwrap();
            let u = -(&covariance * j.tr_mul(&(&whole.precision * e)));
            // All orders of x and of the top cause.
            let x = (0..=order).flat_map(|i| l.x(i));
            let v = (0..=order).map(|i| l.v(i).end - 1);
            let kept: Vec<usize> = x.chain(v).collect();
            let part = covariance.select_rows(&kept).select_columns(&kept);
            Ok((u.select_rows(&kept), part))
        };
        for seed in [1, 2] {
            let two = solve(two_levels(0.0), seed)?;
            let one = solve(flattened()?, seed)?;
            let off = (&two.0 - &one.0).amax() / one.0.amax();
            assert!(off < ROUNDING, "order {order}: minimum off by {off:e}");
            let off = (&two.1 - &one.1).amax() / one.1.amax();
            assert!(off < ROUNDING, "order {order}: covariance off by {off:e}");
        }
    }
    Ok(())
}

/// The schemes report these covariances, of all levels, and both follow the data: at rest under constant data the
/// predictions of two levels and of one are the same up to the pace of the flow.
#[test]
fn the_schemes_see_two_levels_as_one() -> Result<()> {
    let embedding = Embedding {
        states: 3,
        causes: 3,
        smoothness: 0.5,
    };
    // A fast flow stays at the minimum of the energy: off by what it moves on within 1/K.
    let settings = DemConfig {
        embedding,
        rate: 1e4,
        ..DemConfig::default()
    };
    let rows = (0..40).map(|t| {
        let t = t as f64;
        vec![(t / 9.0).sin(), 0.5 * (t / 7.0).cos()]
    });
    let series = Sequence::of_rows(rows)?;
    let two = Dem::new(two_levels(0.0), settings.clone())?.run(&series, None)?;
    let one = Dem::new(flattened()?, settings.clone())?.run(&series, None)?;
    let lap = GeneralisedFiltering::new(two_levels(0.0), settings)?.run(&series, None)?;
    let apart = |a: &[f64], b: &[f64]| {
        let pairs = a.iter().zip(b);
        pairs.fold(0.0f64, |m, (a, b)| m.max((a - b).abs()))
    };
    for t in 10..40 {
        let (two, one) = (&two[t], &one[t]);
        assert!(apart(&two.state_covariance, &one.state_covariance) < ROUNDING);
        // Causes: between the levels, then the top.
        assert!((two.cause_covariance[3] - one.cause_covariance[0]).abs() < ROUNDING);
        let off = apart(&two.states, &one.states);
        assert!(off < 1e-3, "bin {t}: states off by {off:e}");
        let off = (two.causes[1] - one.causes[0]).abs();
        assert!(off < 1e-3, "bin {t}: cause off by {off:e}");
        assert!(apart(&two.states, &lap[t].states) < ROUNDING);
    }
    Ok(())
}
