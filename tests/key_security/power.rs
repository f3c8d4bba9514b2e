//! Power that fails while descriptors travel down a tree without a log.

use hivesmith::{
    Hive, HiveFile, MemoryStorage, NewHive, OpenOptions, Protocol, SecurityScope, Version,
    security::{ObjectKind, SecurityDescriptor},
};

use crate::{
    bytes, read_for_network_service,
    support::tape::{Call, Tape, coin, cut},
};

/// Each key has the descriptor of before or the one of afterwards, whatever the moment; counts are never too low, and
/// the ring is whole.
#[test]
fn power_fails_while_a_grant_travels_and_every_key_is_old_or_new() {
    let mut hive = NewHive::new(Version::V1_5).descriptor(bytes("O:BAG:SYD:P(A;CI;KA;;;BA)")).create().unwrap();
    let mut txn = hive.begin().unwrap();
    for number in 0..6 {
        let own = format!("O:BAG:SYD:AI(A;;KR;;;S-1-5-21-1-2-3-{number})(A;CIID;KA;;;BA)");
        let key = txn.create_key_with_security(txn.root(), format!("{number}").as_str(), &bytes(&own)).unwrap();
        txn.create_key(key, "below").unwrap();
    }
    txn.commit().unwrap();
    let before = MemoryStorage::new(hive.to_bytes());
    let old = all(&hive);

    let tape = Tape::new(before.clone());
    let mut edited = OpenOptions::new().open_storage(tape.clone()).unwrap();
    let mut txn = edited.begin().unwrap();
    let changes = txn
        .edit_security(txn.root(), SecurityScope::Inheriting, |sd| {
            sd.grant(&read_for_network_service(), ObjectKind::KEY).map(drop)
        })
        .unwrap();
    assert_eq!(changes.len(), 13);
    assert_eq!(txn.commit().unwrap().protocol, Protocol::Stepwise);
    let (calls, new) = (tape.take(), all(&edited));

    let (mut mixed, mut looked) = (0, 0);
    let mut look = |left: MemoryStorage| {
        let hive = OpenOptions::new().open_storage(left).unwrap();
        assert!(hive.recovery().is_none(), "a hive without a log is clean at every instant");
        let report = hive.view().check();
        // Records and cells that are not used yet, or no longer.
        let tolerated = ["S6", "C5", "C6"];
        let wrong = report.findings.iter().find(|finding| !tolerated.contains(&finding.rule.to_string().as_str()));
        assert!(wrong.is_none(), "{wrong:?}");
        let now = all(&hive);
        assert!(now.iter().zip(&old).zip(&new).all(|((now, old), new)| now == old || now == new));
        mixed += usize::from(now != old && now != new);
        looked += 1;
    };
    for made in 0..=calls.len() {
        look(cut(&before, &calls[..made], || false));
        if !matches!(calls[..made].last(), None | Some(Call::Sync(_))) {
            look(cut(&before, &calls[..made], || true));
            for seed in 0..4 {
                look(cut(&before, &calls[..made], coin(seed)));
            }
        }
    }
    assert!(mixed > 10, "the grant travels key by key: {mixed} of {looked}");
    let mut last = Hive::from_bytes(cut(&before, &calls, || true).bytes(HiveFile::Primary).unwrap().to_vec()).unwrap();
    assert_eq!(all(&last), new);
    last.begin().unwrap().abort();
}

fn all(hive: &Hive) -> Vec<SecurityDescriptor> {
    hive.view().walk().map(|walked| walked.unwrap().key.security().unwrap().descriptor().unwrap()).collect()
}
