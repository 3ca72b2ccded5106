use super::*;

/// {'a': 1} by hand, with a memo, in protocols 2 and 4.
#[test]
fn dictionaries_of_both_protocols() {
    for program in [
        &b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s."[..],
        b"\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.",
    ] {
        let (nodes, top) = run(program).unwrap();
        let Node::Dict(pairs) = &nodes[top] else {
            panic!("{nodes:?}");
        };
        let [(key, value)] = pairs[..] else {
            panic!("{pairs:?}");
        };
        assert_eq!(
            (&nodes[key], &nodes[value]),
            (&Node::Text("a".into()), &Node::Int(1))
        );
    }
}

#[test]
fn whole_numbers_of_every_length() {
    for (bytes, expected) in [
        (&[][..], Some(0)),
        (&[0xff], Some(-1)),
        (&[0x00, 0x01], Some(256)),
        (
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            Some(i64::MAX),
        ),
        (&[0; 9], None),
    ] {
        assert_eq!(long(bytes), expected);
    }
}

/// Nothing is called: os.system stays a name.
#[test]
fn what_a_pickle_would_call_is_not_called() {
    let (nodes, top) = run(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.").unwrap();
    assert_eq!(nodes[top], Node::Opaque);
}

#[test]
fn pickles_that_are_wrong_are_refused() {
    for (program, expected) in [
        (&b""[..], "it ends 1 bytes too early"),
        (b"\x80\x02}", "it ends 1 bytes too early"),
        (b"\x80\x02.", "it takes more than there is"),
        (b"X\xff\xff\xff\xffab", "bytes too early"),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffab", "bytes too early"),
        (b"h\x00.", "the memo has no 0"),
        (b"cos\nsystem", "a line without an end"),
        (b"t.", "there is no mark"),
        (b"K\x01(0.", "it takes more than there is"),
        (b"}(K\x01u.", "a key without a value"),
        (b"K\x01Q.", "not to a storage"),
        (b"P0\n.", "instruction 0x50"),
    ] {
        let error = format!("{:#}", run(program).unwrap_err());
        assert!(error.contains(expected), "{program:?}: {error}");
        assert!(error.contains("at byte"), "{program:?}: {error}");
    }
}

/// A list in itself, and a list of lists of lists … each ten times: a machine that copied would not come back.
#[test]
fn cycles_and_bombs_stay_small() {
    let (nodes, _) = run(b"]q\x00h\x00a.").unwrap();
    assert_eq!(nodes, [Node::Sequence(vec![0])]);
    let mut bomb = b"]q\x00".to_vec();
    for level in 1..=100u8 {
        bomb.extend(b"](");
        (0..10).for_each(|_| bomb.extend([b'h', level - 1]));
        bomb.extend([b'e', b'q', level]);
    }
    bomb.push(b'.');
    assert_eq!(run(&bomb).unwrap().0.len(), 101);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = run(&bytes);
    }
}
