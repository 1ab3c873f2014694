//! What a refusal says: the kind, the field, what was expected and what stood there.

use router_wire::{decode_command, decode_event};

fn fault(body: &[u8]) -> String {
    decode_command(body).expect_err("refused").to_string()
}

/// `arrive` with one field replaced.
fn arrive(field: usize, bytes: &[u8]) -> Vec<u8> {
    let key = [&[0xc4, 16][..], &[0; 16]].concat();
    let mut fields: [&[u8]; 8] = [&[3], &[1], &[1], &key, &[1], &[0], &[1], &[0x90]];
    fields[field] = bytes;
    [&[0x98][..], &fields.concat()].concat()
}

#[test]
fn a_fault_names_kind_and_field() {
    let nan = [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0];
    let table: &[(usize, &[u8], &str)] = &[
        (1, &[2], "arrive.version: expected 1, got 2"),
        (
            1,
            &[0xc0],
            "arrive.version: expected an integer 0..18446744073709551615, got nil",
        ),
        (
            2,
            &[0xa1, b'x'],
            "arrive.channel: expected an integer 0..4294967295, got str",
        ),
        (
            2,
            &[0xff],
            "arrive.channel: expected an integer 0..4294967295, got a negative integer",
        ),
        (
            2,
            &[0xd0, 0x80],
            "arrive.channel: expected an integer 0..4294967295, got a negative integer",
        ),
        (
            2,
            &[0xcf, 0, 0, 0, 1, 0, 0, 0, 0],
            "arrive.channel: expected an integer 0..4294967295, got 4294967296",
        ),
        (
            2,
            &nan,
            "arrive.channel: expected an integer 0..4294967295, got float",
        ),
        (
            2,
            &[0xca, 0x3f, 0x80, 0, 0],
            "arrive.channel: expected an integer 0..4294967295, got float",
        ),
        (
            2,
            &[0xc3],
            "arrive.channel: expected an integer 0..4294967295, got bool",
        ),
        (
            2,
            &[0x81, 1, 1],
            "arrive.channel: expected an integer 0..4294967295, got map",
        ),
        (
            2,
            &[0xc7, 1, 1, 1],
            "arrive.channel: expected an integer 0..4294967295, got ext",
        ),
        (
            2,
            &[0xc1],
            "arrive.channel: expected an integer 0..4294967295, got a byte that MessagePack does not use",
        ),
        (
            3,
            &[0xa2, b'a', b'b'],
            "arrive.key: expected a byte string, got str",
        ),
        (3, &[0xc4, 2, 0, 0], "arrive.key: expected 16 bytes, got 2"),
        (
            3,
            &[0xc6, 0xff, 0xff, 0xff, 0xff],
            "arrive.key: expected a byte string of 4294967295 bytes, got the end of the frame after 4",
        ),
        (
            7,
            &[0x91, 0x91, 0x92, 1, 0xcd, 1, 0],
            "arrive.requires[0][0].level: expected an integer 0..255, got 256",
        ),
        (
            7,
            &[0x92, 0x91, 0x92, 1, 2, 0x91, 0x94, 1, 2, 0xc3, 4],
            "arrive.requires[1][0]: expected 2 or 3 items, got 4",
        ),
        (
            7,
            &[0x91, 0x91, 0x93, 1, 2, 3],
            "arrive.requires[0][0].negated: expected a boolean, got an integer",
        ),
        (
            7,
            &[0x91, 0x07],
            "arrive.requires[0]: expected an array, got an integer",
        ),
        (
            7,
            &[0xdd, 0xff, 0xff, 0xff, 0xff],
            "arrive.requires: expected an array of 4294967295 items, got 0 bytes to the end of the frame",
        ),
        (
            7,
            &[],
            "arrive.requires: expected an array, got the end of the frame",
        ),
        (7, &[0x90, 0xc0], "arrive: 1 bytes follow the message"),
    ];
    for (field, bytes, expected) in table {
        assert_eq!(fault(&arrive(*field, bytes)), *expected);
    }
}

#[test]
fn arity_is_exact() {
    assert_eq!(fault(&[0x93, 4, 1, 1]), "abandon.contact: is missing");
    assert_eq!(fault(&[0x95, 4, 1, 1, 1, 1]), "abandon: 1 fields too many");
    assert_eq!(fault(&[0x91, 4]), "abandon.version: is missing");
    assert_eq!(fault(&[0x90]), "kind: is missing");
    assert_eq!(fault(&[0x92, 63, 1]), "kind 63 is no command");
    assert_eq!(fault(&[0x92, 0xcc, 0x82, 1]), "kind 130 is no command");
    assert_eq!(
        decode_event(&[0x92, 63, 1]).unwrap_err().to_string(),
        "kind 63 is no event"
    );
    assert_eq!(
        fault(&[0x92, 0xa1, b'3', 1]),
        "kind: expected an integer 0..18446744073709551615, got str"
    );
    assert_eq!(fault(&[]), "expected an array, got the end of the frame");
    assert_eq!(fault(&[0x81, 1, 1]), "expected an array, got map");
}

#[test]
fn a_cause_outside_its_range_is_refused() {
    let body = [0x96, 76, 1, 5, 1, 1, 1, 5];
    let body = [&[0x97][..], &body[1..]].concat();
    let fault = decode_event(&body).unwrap_err().to_string();
    assert_eq!(fault, "connect_failed.by: expected an integer 0..4, got 5");
    let body = [0x98, 99, 1, 5, 1, 1, 1, 1, 0];
    let fault = decode_event(&body).unwrap_err().to_string();
    assert_eq!(
        fault,
        "invitation_over.how: expected an integer 1..3, got 0"
    );
}

#[test]
fn depth_bombs_cost_nothing() {
    for filler in [0x91, 0xdd, 0x81] {
        let bomb = vec![filler; 64 * 1024];
        fault(&bomb);
        fault(&arrive(7, &bomb));
        fault(&arrive(2, &bomb));
        let configure = [&[0x93, 1, 1], &bomb[..]].concat();
        fault(&configure);
    }
}

#[test]
fn a_place_in_the_configuration_is_named() {
    let channel = [
        &[0x93, 1, 1, 0xdc, 0, 19, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x90][..],
        &[0x91, 0x96, 1, 7],
    ]
    .concat();
    let rest = [0xc2, 9, 0x90, 0x90, 0x90, 0x90, 0xc4, 0, 0xc4, 0];
    assert_eq!(
        fault(&[&channel[..], &rest].concat()),
        "configure.config.channels[0].exclusive: expected a boolean, got an integer"
    );
}
