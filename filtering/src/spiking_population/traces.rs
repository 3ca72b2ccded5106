//! Transitions that see a decaying trace of all past counts, in constant memory (eqs. T14–T16).

/// s^{(n)} = αⁿ s^{(n)} + λ for n = 1 … N + 1, of one neuron.
///
/// ```text
/// Σ_l λ_{t−l}(e^{wα^l} − 1) = Σ_{n≥1} (wⁿ/n!) s^{(n)}_t                                                     (T15)
/// ```
///
/// ```
/// use scotopic_filtering::spiking_population::PowerTraces;
/// let mut traces = PowerTraces::new(0.5, 12);
/// traces.add(2.0); // λ of the frame before the last
/// traces.add(1.0); // λ of the last
/// let (sum, remainder) = traces.log_moment(0.4);
/// let direct = 1.0 * (0.4f64.exp() - 1.0) + 2.0 * (0.2f64.exp() - 1.0);
/// assert!((sum - direct).abs() <= remainder && remainder < 1e-12);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PowerTraces {
    decay: f64,
    traces: Vec<f64>,
}

impl PowerTraces {
    /// Nothing seen; `decay` α within \[0, 1), `terms` N of the series.
    pub fn new(decay: f64, terms: usize) -> Self {
        Self {
            decay,
            traces: vec![0.0; terms + 1],
        }
    }

    /// Another frame, with this rate.
    pub fn add(&mut self, rate: f64) {
        let mut decay = 1.0;
        for trace in &mut self.traces {
            decay *= self.decay;
            *trace = decay * *trace + rate;
        }
    }

    /// Σ_l λ_{t−l}(e^{wα^l} − 1), N terms of it, and a bound of the rest (eq. T16).
    pub fn log_moment(&self, w: f64) -> (f64, f64) {
        let (mut sum, mut term) = (0.0, 1.0);
        let (last, summed) = match self.traces.split_last() {
            Some((last, summed)) => (*last, summed),
            None => return (0.0, 0.0),
        };
        for (n, trace) in summed.iter().enumerate() {
            term *= w / (n + 1) as f64;
            sum += term * trace;
        }
        let next = term * w / self.traces.len() as f64;
        (sum, next.abs() * w.abs().exp() * last)
    }
}
