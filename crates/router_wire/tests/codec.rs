//! Every kind there and back; and bytes that are none never get further than an error.

mod common;

use common::Random;
use router_core::{Command, Demand, Need, Requirement, SkillWeight};
use router_wire::{
    COMMANDS, DecodeError, EVENTS, Frames, decode_command, decode_event, encode_command,
    encode_event, kind,
};

fn bodies(random: &mut Random) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for command in random.commands() {
        let mut body = Vec::new();
        encode_command(&command, &mut body);
        bodies.push(body);
    }
    for event in random.events() {
        let mut body = Vec::new();
        encode_event(&event, &mut body);
        bodies.push(body);
    }
    bodies
}

/// Decodes whatever it is; a refusal has something to say.
fn recode(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    let decoded = match kind(body) {
        Ok(64..) => decode_event(body).map(|event| encode_event(&event, &mut out)),
        _ => decode_command(body).map(|command| encode_command(&command, &mut out)),
    };
    if let Err(fault) = &decoded {
        assert!(fault.to_string().len() > 10, "{fault}");
    }
    decoded.map(|()| out)
}

#[test]
fn every_kind_survives_the_wire() {
    let mut random = Random(1);
    let mut kinds: Vec<u64> = Vec::new();
    for round in 0..200 {
        for command in random.commands() {
            let mut body = Vec::new();
            encode_command(&command, &mut body);
            assert_eq!(decode_command(&body).as_ref(), Ok(&command));
            assert!(decode_event(&body).is_err());
            kinds.extend((round == 0).then(|| kind(&body).expect("a kind")));
        }
        for event in random.events() {
            let mut body = Vec::new();
            encode_event(&event, &mut body);
            assert_eq!(decode_event(&body).as_ref(), Ok(&event));
            assert!(decode_command(&body).is_err());
            kinds.extend((round == 0).then(|| kind(&body).expect("a kind")));
        }
    }
    let table: Vec<u64> = COMMANDS
        .iter()
        .chain(EVENTS)
        .map(|kind| kind.number)
        .collect();
    assert_eq!(kinds, table);
}

#[test]
fn a_message_that_is_cut_or_goes_on_is_refused() {
    let mut random = Random(2);
    for body in bodies(&mut random) {
        let cuts = (0..body.len().min(300)).chain(body.len().saturating_sub(300)..body.len());
        cuts.for_each(|cut| assert!(recode(&body[..cut]).is_err(), "{cut} of {body:02x?}"));
        let longer = [&body[..], &[0]].concat();
        assert!(
            recode(&longer)
                .unwrap_err()
                .to_string()
                .ends_with("1 bytes follow the message")
        );
    }
}

#[test]
fn what_is_decoded_from_damaged_bytes_is_what_they_say() {
    let mut random = Random(3);
    let (mut refused, mut passed) = (0, 0);
    for _ in 0..300 {
        for mut body in bodies(&mut random) {
            for _ in 0..=random.below(3) {
                let place = random.below(body.len().min(400) as u64) as usize;
                body[place] = random.raw() as u8;
            }
            match recode(&body) {
                // Not the same bytes (a longer format of a number is allowed), but the same message.
                Ok(canonical) => {
                    passed += 1;
                    assert_eq!(recode(&canonical).as_ref(), Ok(&canonical));
                    assert!(
                        canonical.len() <= body.len() + 2,
                        "what is absent (a requirement, an id) is written as nil"
                    );
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1000 && passed > 1000, "{refused} {passed}");
}

#[test]
fn noise_is_refused() {
    let mut random = Random(4);
    for _ in 0..200_000 {
        let length = random.below(40) as usize;
        let mut noise: Vec<u8> = (0..length).map(|_| random.raw() as u8).collect();
        let _ = recode(&noise);
        // Half of it begins like a message, to get further.
        if length > 3 {
            noise[0] = 0x90 | (random.raw() as u8 & 0x0f);
            noise[1] = random.below(92) as u8;
            noise[2] = 1;
            let _ = recode(&noise);
        }
    }
}

#[test]
fn any_format_of_an_integer_is_read_and_the_shortest_is_written() {
    let formats: [(&[u8], u64); 9] = [
        (&[7], 7),
        (&[0xcc, 7], 7),
        (&[0xcd, 0, 7], 7),
        (&[0xce, 0, 0, 0, 7], 7),
        (&[0xcf, 0, 0, 0, 0, 0, 0, 0, 7], 7),
        (&[0xd0, 7], 7),
        (&[0xd1, 1, 0], 256),
        (&[0xd2, 0, 1, 0, 0], 65536),
        (&[0xd3, 0, 0, 0, 1, 0, 0, 0, 0], 1 << 32),
    ];
    for (bytes, contact) in formats {
        let body = [&[0x94, 4, 1, 1], bytes].concat();
        assert_eq!(
            decode_command(&body),
            Ok(Command::Abandon {
                channel: 1,
                contact
            })
        );
    }
    for (number, length) in [
        (127, 1),
        (128, 2),
        (255, 2),
        (256, 3),
        (65535, 3),
        (65536, 5),
        (u64::MAX, 9),
    ] {
        let mut body = Vec::new();
        encode_command(
            &Command::Abandon {
                channel: 1,
                contact: number,
            },
            &mut body,
        );
        assert_eq!(body.len(), 4 + length, "{number}");
    }
}

#[test]
fn a_command_id_may_be_missing_nil_or_sixteen_bytes() {
    let expected = Ok(Command::Ready {
        agent: 5,
        command_id: None,
    });
    assert_eq!(decode_command(&[0x93, 9, 1, 5]), expected);
    assert_eq!(decode_command(&[0x94, 9, 1, 5, 0xc0]), expected);
    let body = [&[0x94, 9, 1, 5, 0xc4, 16][..], &[3; 16]].concat();
    let expected = Ok(Command::Ready {
        agent: 5,
        command_id: Some([3; 16]),
    });
    assert_eq!(decode_command(&body), expected);
}

#[test]
fn all_of_a_demand_but_the_requirement_may_be_missing() {
    let transfer = |demand| {
        Ok(Command::Transfer {
            agent: 5,
            contact: 6,
            queue: 7,
            head_start_us: 0,
            demand,
        })
    };
    let head = [16, 1, 5, 6, 7, 0];
    let decode =
        |items: u8, rest: &[u8]| decode_command(&[&[0x90 + 6 + items][..], &head, rest].concat());
    assert!(decode(0, &[]).is_err());
    assert_eq!(decode(1, &[0x90]), transfer(Demand::default()));
    let (prefers, excludes) = ([0x91, 0x92, 1, 3], [0x91, 9]);
    let rest = [&[0x90][..], &prefers, &[0x90, 8], &excludes].concat();
    let whole = Demand {
        prefers: vec![SkillWeight {
            skill: 1,
            weight: 3,
        }],
        preferred_wait_us: 8,
        excludes: vec![9],
        ..Demand::default()
    };
    assert_eq!(decode(5, &rest), transfer(whole.clone()));
    let beyond = Demand {
        beyond_capacity: true,
        ..whole
    };
    let rest = [&rest[..], &[0xc3]].concat();
    assert_eq!(decode(6, &rest), transfer(beyond));
    let cut = [&[0x90][..], &prefers].concat();
    let part = Demand {
        prefers: vec![SkillWeight {
            skill: 1,
            weight: 3,
        }],
        ..Demand::default()
    };
    assert_eq!(decode(2, &cut), transfer(part));
}

#[test]
fn a_need_says_only_that_it_is_negated() {
    let need = |negated| Need {
        skill: 1,
        level: 50,
        negated,
    };
    let requires = Requirement {
        alternatives: vec![vec![need(false), need(true)], vec![need(false)]],
    };
    let command = Command::Change {
        contact: 5,
        queue: 0,
        head_start_us: 7,
        requires: Some(requires),
        command_id: None,
    };
    let mut body = Vec::new();
    encode_command(&command, &mut body);
    let short = [
        0x92, 0x92, 0x92, 1, 50, 0x93, 1, 50, 0xc3, 0x91, 0x92, 1, 50,
    ];
    assert_eq!(
        body,
        [&[0x97, 17, 1, 5, 0, 7][..], &short, &[0xc0]].concat()
    );
    let long = [
        0x92, 0x92, 0x93, 1, 50, 0xc2, 0x93, 1, 50, 0xc3, 0x91, 0x92, 1, 50,
    ];
    let body = [&[0x97, 17, 1, 5, 0, 7][..], &long, &[0xc0]].concat();
    assert_eq!(decode_command(&body), Ok(command));
}

#[test]
fn a_change_without_a_requirement_keeps_it() {
    let change = |requires| {
        Ok(Command::Change {
            contact: 5,
            queue: 0,
            head_start_us: 7,
            requires,
            command_id: None,
        })
    };
    assert_eq!(decode_command(&[0x95, 17, 1, 5, 0, 7]), change(None));
    assert_eq!(decode_command(&[0x96, 17, 1, 5, 0, 7, 0xc0]), change(None));
    let none_left = decode_command(&[0x97, 17, 1, 5, 0, 7, 0x90, 0xc0]);
    assert_eq!(none_left, change(Some(Requirement::default())));
}

#[test]
fn frames_are_split_and_a_cut_one_is_the_last() {
    let split = |bytes| Frames::new(bytes).collect::<Vec<_>>();
    assert_eq!(split(&[]), []);
    assert_eq!(split(&[0, 0, 0, 1, 9, 0, 0, 0, 0]), [Ok(&[9][..]), Ok(&[])]);
    for cut in [
        &[0, 0, 0][..],
        &[0, 0, 0, 2, 9],
        &[0xff, 0xff, 0xff, 0xff, 1],
    ] {
        assert_eq!(split(cut).len(), 1);
        assert!(split(cut)[0].is_err());
    }
}
