//! Each datum is perceived by itself.

use scotopic::inference::{Record, Stimulus};
use scotopic::noise::NoiseKey;
use scotopic::posterior::Posterior;

use super::{Fixed, exact, images, subjects};
use crate::devices::Place;
use crate::numbers::{deviation, read};

/// f64: products of matrices with fewer rows are summed in another order.
const ROUNDING: f64 = 1e-12;

const DATA: usize = 3;

#[test]
fn nobody_notices_who_else_is_there() {
    let place = Place::reference();
    for subject in subjects() {
        let model = subject.model(&place, &subject.values());
        let all = images(&place, DATA);
        let noise = |row| Fixed {
            place: &place,
            kind: subject.kind(),
            key: NoiseKey::new(50),
            batch: DATA,
            row,
        };
        let together = subject.run(&model, &all, &noise(None), Record::ALL);
        for row in 0..DATA {
            let one = Stimulus::Static(all.at(0).narrow(0, row, 1));
            let alone = subject.run(&model, &one, &noise(Some(row)), Record::ALL);
            let states = alone.state.components().into_iter();
            for (alone, together) in states.zip(together.state.components()) {
                let expected = read(together.narrow(0, row, 1));
                let off = deviation(&read(alone), &expected);
                assert!(off < ROUNDING, "{}, datum {row}: {off:e}", subject.name);
            }
            let energies = alone.moments.iter().zip(&together.moments);
            for (alone, together) in energies {
                let energy = |moment: &scotopic::inference::Moment<_>| {
                    let generated = moment.generated.clone().expect("recorded");
                    read(generated.free_energy.total(1.0))
                };
                let off = deviation(&energy(alone), &energy(together)[row..=row]);
                assert!(off < ROUNDING, "{}, F of {row}: {off:e}", subject.name);
            }
        }
    }
}

/// With keyed noise the first data of a batch see what they see without the others.
#[test]
fn keyed_noise_is_numbered_from_the_first_datum() {
    let place = Place::reference();
    for subject in subjects() {
        let subject = exact(&subject);
        let model = subject.model(&place, &subject.values());
        let all = images(&place, DATA);
        let few = Stimulus::Static(all.at(0).narrow(0, 0, 2));
        let key = NoiseKey::new(51);
        let [many, few] = [all, few].map(|x| subject.run(&model, &x, &key, Record::FINAL).state);
        for (few, many) in few.components().into_iter().zip(many.components()) {
            let off = deviation(&read(few), &read(many.narrow(0, 0, 2)));
            assert!(off < ROUNDING, "{}: {off:e}", subject.name);
        }
    }
}
