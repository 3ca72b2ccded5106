use super::*;

const PAIR: ImageShape = ImageShape {
    channels: 1,
    height: 1,
    width: 2,
};

fn ten() -> ImageSet {
    let pixels = (0..20).map(|v| v as f32).collect();
    ImageSet::new("ten", PAIR, pixels, Some((0..10).collect())).unwrap()
}

#[test]
fn sizes_must_go_together() {
    let odd = ImageSet::new("odd", PAIR, vec![0.0; 3], None).unwrap_err();
    assert!(odd.to_string().contains("multiple of 2"), "{odd}");
    let labels = ImageSet::new("labels", PAIR, vec![0.0; 4], Some(vec![1])).unwrap_err();
    assert!(
        labels.to_string().contains("found 1, expected 2"),
        "{labels}"
    );
    let none = ImageShape {
        channels: 0,
        ..PAIR
    };
    assert!(ImageSet::new("none", none, vec![], None).is_err());
    let vast = ImageShape {
        channels: usize::MAX,
        height: 3,
        width: 2,
    };
    assert!(ImageSet::new("vast", vast, vec![0.0; 6], None).is_err());
}

#[test]
fn not_finite_is_named() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = ImageSet::new("x", PAIR, vec![0.0, 0.0, 0.0, bad], None).unwrap_err();
        assert!(
            matches!(
                error,
                Error::NotFinite {
                    image: 1,
                    pixel: 1,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn take_and_split_keep_order_and_labels() {
    let (head, tail) = ten().split_tail(3).unwrap();
    assert_eq!((head.len(), tail.len()), (7, 3));
    assert_eq!(tail.image(0), [14.0, 15.0]);
    assert_eq!(tail.labels().unwrap(), [7, 8, 9]);
    assert_eq!(head.labels().unwrap().len(), 7);
    assert!(ten().split_tail(10).is_err());
    assert!(ten().split_tail(0).unwrap().1.is_empty());
    assert_eq!(ten().take(2).pixels(), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(ten().take(99), ten());
}

#[test]
fn origins_go_with_their_images() {
    let origin = |row| PatchOrigin {
        file: "a.png".into(),
        row,
        column: 0,
    };
    assert!(ten().with_origins(vec![origin(0)]).is_err());
    let cut = ten().with_origins((0..10).map(origin).collect()).unwrap();
    let (head, tail) = cut.clone().split_tail(3).unwrap();
    assert_eq!(tail.origins()[0], origin(7));
    let whole = ImageSet::concatenated([head.clone(), tail]).unwrap();
    assert_eq!(whole.origins(), cut.origins());
    let mixed = ImageSet::concatenated([head, ten()]).unwrap();
    assert!(mixed.origins().is_empty());
    let scale = Standardisation {
        mean: 1.0,
        std: 2.0,
    };
    let kept = cut.take(4).rescaled(scale).unwrap();
    assert_eq!(kept.origins().len(), 4);
}

#[test]
fn concatenation_is_the_inverse_of_splitting() {
    let (head, tail) = ten().split_tail(3).unwrap();
    let name = head.name().to_owned();
    let whole = ImageSet::concatenated([head.clone(), tail]).unwrap();
    assert_eq!(whole, ten().named(name));
    let bare = ImageSet::new("bare", PAIR, vec![8.0, 9.0], None).unwrap();
    let mixed = ImageSet::concatenated([head, bare]).unwrap();
    assert_eq!((mixed.len(), mixed.labels()), (8, None));
    let other = ImageShape { width: 1, ..PAIR };
    let other = ImageSet::new("other", other, vec![0.0], None).unwrap();
    assert!(ImageSet::concatenated([ten(), other]).is_err());
    assert!(ImageSet::concatenated([]).is_err());
}

#[test]
fn digest_sees_shape_and_every_bit() {
    let base = ImageSet::new("a", PAIR, vec![0.0, 1.0], None).unwrap();
    let tall = ImageShape {
        channels: 1,
        height: 2,
        width: 1,
    };
    let turned = ImageSet::new("a", tall, vec![0.0, 1.0], None).unwrap();
    let negative = ImageSet::new("a", PAIR, vec![-0.0, 1.0], None).unwrap();
    let renamed = ImageSet::new("b", PAIR, vec![0.0, 1.0], Some(vec![3])).unwrap();
    assert_ne!(base.digest(), turned.digest());
    assert_ne!(base.digest(), negative.digest());
    assert_eq!(base.digest(), renamed.digest());
    assert_eq!(base.digest().len(), 64);
}
