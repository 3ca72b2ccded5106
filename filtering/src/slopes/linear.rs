//! Of linear-Gaussian models.

use nalgebra::{DMatrix, DVector};

use crate::gaussian::{DrivenGaussian, GaussianGradient, LinearGaussian};
use crate::{Coordinate, Result, Sequence, Slope, Slopes};

fn of_vector(parameter: &'static str, values: &DVector<f64>) -> Slope {
    Slope {
        parameter,
        by: Coordinate::Value,
        shape: vec![values.len()],
        values: values.as_slice().to_vec(),
    }
}

fn of_matrix(parameter: &'static str, values: &DMatrix<f64>) -> Slope {
    Slope {
        parameter,
        by: Coordinate::Value,
        shape: vec![values.nrows(), values.ncols()],
        // Row after row.
        values: values.transpose().as_slice().to_vec(),
    }
}

fn of_base(by: &GaussianGradient) -> Vec<Slope> {
    vec![
        of_matrix("transition", &by.transition),
        of_vector("bias", &by.bias),
        of_matrix("process_noise", &by.process_noise),
        of_matrix("observation", &by.observation),
        of_vector("offset", &by.offset),
        of_matrix("observation_noise", &by.observation_noise),
        of_vector("initial_mean", &by.initial_mean),
        of_matrix("initial_covariance", &by.initial_covariance),
    ]
}

impl LinearGaussian {
    pub(super) fn slopes(&self, sequences: &[Sequence]) -> Result<Slopes> {
        let by = DrivenGaussian::without_inputs(self.clone()).gradient(sequences)?;
        Ok(Slopes {
            each: of_base(&by.base),
            log_evidence: by.base.log_evidence,
        })
    }
}

impl DrivenGaussian {
    pub(super) fn slopes(&self, sequences: &[Sequence]) -> Result<Slopes> {
        let by = self.gradient(sequences)?;
        let mut each = of_base(&by.base);
        each.push(of_matrix("control", &by.control));
        each.push(of_matrix("direct", &by.direct));
        Ok(Slopes {
            each,
            log_evidence: by.base.log_evidence,
        })
    }
}
