//! A key with all that belongs to it, from one hive into another.

use crate::{RequestError, Result, Transaction, name::KeyPath, tree::Key};

/// Makes an existing key without values and subkeys what a key of another hive is: values, subkeys with their
/// descriptors, class names, flags and time stamps.
pub(super) fn copy_tree(from: Key<'_>, txn: &mut Transaction<'_>, to: &KeyPath) -> Result<()> {
    let mut way = vec![to.clone()];
    let mut times = Vec::new();
    for walked in from.walk() {
        let walked = walked?;
        way.truncate(walked.depth.max(1));
        // By its path: making a key may move the one above it.
        let above = way.last().unwrap_or(to).clone();
        let mut at = txn.find(&above)?.ok_or_else(|| RequestError::NotFound(above.to_string()))?;
        let mut path = above;
        if walked.depth > 0 {
            let name = walked.key.name()?.to_name_buf();
            path = path.join(name.clone());
            at = txn.create_key_with_security(at, vec![name], walked.key.security()?.bytes())?;
            way.push(path.clone());
        }
        for value in walked.key.values()? {
            let value = value?;
            txn.set_value_bytes(at, value.name()?, value.kind(), &value.data()?)?;
        }
        txn.set_flags(at, walked.key.flags())?;
        txn.set_virtualization(at, walked.key.virtualization())?;
        // The last that is done to it, for the key may move.
        txn.set_class_name(at, walked.key.class_name()?.map(Into::into))?;
        times.push((path, walked.key.last_written()));
    }
    for (path, time) in times {
        if let Some(at) = txn.find(&path)? {
            txn.set_last_written(at, time)?;
        }
    }
    Ok(())
}
