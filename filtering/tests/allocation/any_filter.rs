//! A filter chosen at run time asks for no memory once it runs.

use crate::requests;
use scotopic_filtering::gaussian::LinearGaussian;
use scotopic_filtering::hmm::{Hmm, Poisson};
use scotopic_filtering::nonlinear::models::Ar1Poisson;
use scotopic_filtering::plds::{CountLaw, Plds};
use scotopic_filtering::switching::Slds;
use scotopic_filtering::{AnyFilter, AnyModel, Filter};

#[test]
fn updates_of_a_filter_chosen_at_run_time_ask_for_nothing() {
    let emission = Poisson::new(vec![vec![1.0], vec![6.0]]).unwrap();
    let rows = vec![vec![0.9, 0.1], vec![0.3, 0.7]];
    let discrete = Hmm::new(vec![0.5, 0.5], rows, emission.into()).unwrap();
    let walk = LinearGaussian::from_rows(&[[0.9]], &[[0.3]], &[[1.5]], &[[0.7]]).unwrap();
    let poisson = Ar1Poisson::new(0.9, 0.4, 0.2, 0.0, 1.0).unwrap();
    let neuron = Plds::from_rows(CountLaw::Poisson, &[[0.9]], &[[0.2]], &[[0.8]], &[0.5]).unwrap();
    let levels = [0.1, 3.0]
        .map(|q| LinearGaussian::from_rows(&[[0.9]], &[[q]], &[[1.5]], &[[0.7]]).unwrap());
    let rows = vec![vec![0.9, 0.1], vec![0.3, 0.7]];
    let switching = Slds::new(vec![0.5, 0.5], rows, levels.to_vec()).unwrap();
    for model in [
        AnyModel::Hmm(discrete),
        AnyModel::LinearGaussian(walk),
        AnyModel::Plds(neuron),
        AnyModel::Slds(Box::new(switching)),
        AnyModel::Nonlinear(poisson.into()),
    ] {
        let mut filter = AnyFilter::new(model, "reversed").unwrap();
        for _ in 0..3 {
            filter.update(Some(&[3.0])).unwrap();
        }
        let before = requests();
        for t in 0..50 {
            filter.update((t != 20).then_some(&[3.0][..])).unwrap();
        }
        assert_eq!(requests(), before, "{}", filter.model().kind());
    }
}
