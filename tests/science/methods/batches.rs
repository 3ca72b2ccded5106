//! Each datum is independent of the rest of its batch.

use scotopic::inference::{RecordOptions, Stimulus};
use scotopic::noise::NoiseKey;
use scotopic::posterior::Posterior;

use super::{Fixed, exact, images, subjects};
use crate::devices::Place;
use crate::dressing::{gradients, names};
use crate::numbers::{deviation, read};

/// f64: products of matrices with fewer rows are summed in another order.
const ROUNDING: f64 = 1e-12;

/// A relaxed sum ends at a term of 10⁻⁷, which a rounding may take in or leave out.
const RELAXED: f64 = 1e-5;

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
        let together = subject.run(&model, &all, &noise(None), RecordOptions::ALL);
        for row in 0..DATA {
            let one = Stimulus::Static(all.at(0).narrow(0, row, 1));
            let alone = subject.run(&model, &one, &noise(Some(row)), RecordOptions::ALL);
            let states = alone.state.components().into_iter();
            for (alone, together) in states.zip(together.state.components()) {
                let expected = read(together.narrow(0, row, 1));
                let off = deviation(&read(alone), &expected);
                assert!(off < ROUNDING, "{}, datum {row}: {off:e}", subject.name);
            }
            let energies = alone.records.iter().zip(&together.records);
            for (alone, together) in energies {
                let energy = |moment: &scotopic::inference::StepRecord<_>| {
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
        let [many, few] =
            [all, few].map(|x| subject.run(&model, &x, &key, RecordOptions::FINAL).state);
        for (few, many) in few.components().into_iter().zip(many.components()) {
            let off = deviation(&read(few), &read(many.narrow(0, 0, 2)));
            assert!(off < ROUNDING, "{}: {off:e}", subject.name);
        }
    }
}

/// A part of a batch with a declared first row gives the same inference as in the whole, and what is learned from
/// parts, weighted with their shares, is what is learned from the whole.
#[test]
fn parts_of_a_batch_add_up_to_it() {
    let place = Place::reference().autodiff();
    for subject in subjects() {
        let model = subject.model(&place, &subject.values());
        let all = images(&place, DATA).at(0);
        let learned = |rows: std::ops::Range<usize>| {
            let x = Stimulus::Static(all.clone().narrow(0, rows.start, rows.len()));
            let key = NoiseKey::new(52).row(rows.start as u32);
            let seen = subject.run(&model, &x, &key, subject.method.learns_from());
            let share = rows.len() as f64 / DATA as f64;
            let objective = seen.objective(1.5).expect("free energy was recorded");
            let slopes = gradients(&model, &(objective.clone() * share).backward());
            (read(objective)[0] * share, slopes)
        };
        let (value, slopes) = learned(0..DATA);
        let (first, second) = (learned(0..1), learned(1..DATA));
        let off = deviation(&[first.0 + second.0], &[value]);
        assert!(off < RELAXED, "{}, objective: {off:e}", subject.name);
        let parts = first.1.into_iter().zip(second.1);
        for ((whole, (a, b)), name) in slopes.into_iter().zip(parts).zip(names(&model)) {
            let Some(whole) = whole else {
                assert!(a.is_none() && b.is_none(), "{}, {name}", subject.name);
                continue;
            };
            let (a, b) = (a.expect("as in the whole"), b.expect("as in the whole"));
            let sum: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            let off = deviation(&sum, &whole);
            assert!(off < RELAXED, "{}, {name}: {off:e}", subject.name);
        }
    }
}
