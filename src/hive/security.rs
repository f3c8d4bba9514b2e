//! Descriptors of keys in a [`Transaction`].

use super::Transaction;
use crate::{
    KeyId, Result,
    edit::{self, SecurityChange, SecurityScope},
    name::KeyPath,
    security::{ListKind, SecurityDescriptor, SecurityError},
};

impl Transaction<'_> {
    /// Makes a key with a descriptor of its own, self-relative, instead of what it would inherit. Keys above it that do
    /// not exist are made as [`create_key`](Self::create_key) makes them, and inherit.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use hivesmith::{Hive, Version, security::SecurityDescriptor};
    /// let mut hive = Hive::create(Version::V1_5)?;
    /// let secret: SecurityDescriptor = "O:SYG:SYD:P(A;CI;KA;;;SY)".parse()?;
    /// let mut txn = hive.begin()?;
    /// txn.create_key_with_security(txn.root(), r"Policy\Secrets", &secret.to_bytes())?;
    /// // Below, the entry that is handed on is in force; the protection is not handed on.
    /// txn.create_key(txn.root(), r"Policy\Secrets\one")?;
    /// txn.commit()?;
    /// let below = hive.view().key(r"Policy\Secrets\one")?.expect("just made").security()?.descriptor()?;
    /// assert_eq!(below.to_string(), "O:SYG:SYD:(A;CI;KA;;;SY)");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestError::AlreadyExists`](crate::RequestError::AlreadyExists) where the key exists; as [`create_key`](Self::create_key) and
    /// [`set_security`](Self::set_security).
    pub fn create_key_with_security(
        &mut self,
        parent: KeyId,
        path: impl Into<KeyPath>,
        descriptor: &[u8],
    ) -> Result<KeyId> {
        let path = path.into();
        let parent = self.resolve(parent)?;
        self.edit(|image, now| {
            edit::key::create_path_with(image, parent, path.names(), Some(descriptor), now).map(KeyId)
        })
    }

    /// Changes a key's descriptor and, as far as `scope` says, those of the keys below it. What came of it, key by key
    /// in the order of the tree; nothing for keys that stay as they are.
    ///
    /// The edit is asked once for all keys that share a descriptor and inherit the same.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use hivesmith::{Hive, SecurityScope, Version};
    /// # use hivesmith::security::{AccessMask, AceFlags, ObjectKind, Permission, well_known};
    /// # let mut hive = Hive::create(Version::V1_5)?;
    /// let mut txn = hive.begin()?;
    /// let services = txn.create_key(txn.root(), "Services")?;
    /// txn.create_key(services, "TermService")?;
    /// let read = Permission::new(well_known::NETWORK_SERVICE, AccessMask::KEY_READ);
    /// let read = read.handed_on(AceFlags::CONTAINER_INHERIT);
    /// let mut grant = || {
    ///     txn.edit_security(services, SecurityScope::Inheriting, |descriptor| {
    ///         descriptor.grant(&read, ObjectKind::KEY).map(drop)
    ///     })
    /// };
    /// assert_eq!(grant()?.len(), 2, "the key, and what the key below inherits");
    /// assert_eq!(grant()?.len(), 0, "it is so already");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Security`](crate::Error::Security) where a descriptor is malformed or would become too large, also what `edit` says;
    /// [`RequestError::Uncommittable`](crate::RequestError::Uncommittable) and others as [`set_security`](Self::set_security).
    pub fn edit_security(
        &mut self,
        key: KeyId,
        scope: SecurityScope,
        mut edit: impl FnMut(&mut SecurityDescriptor) -> Result<(), SecurityError>,
    ) -> Result<Vec<SecurityChange>> {
        let top = self.resolve(key)?;
        let plan = edit::security::edit(self.image(), top, scope, &mut edit)?;
        self.carry_out(plan)
    }

    /// Lets the keys below one inherit what it hands on now in that list, as Windows does after every change: inherited
    /// entries are replaced, own ones stay, protected lists are left alone. The key itself stays as it is.
    ///
    /// What does not change a key cannot change what is below it, and is not looked at.
    ///
    /// # Errors
    ///
    /// As [`edit_security`](Self::edit_security).
    pub fn propagate_security(&mut self, key: KeyId, list: ListKind) -> Result<Vec<SecurityChange>> {
        let top = self.resolve(key)?;
        let plan = edit::security::propagate(self.image(), top, list)?;
        self.carry_out(plan)
    }

    fn carry_out(&mut self, plan: edit::security::Plan) -> Result<Vec<SecurityChange>> {
        let edit::security::Plan { changes, descriptors, keys } = plan;
        self.edit(|image, now| edit::security::assign(image, &descriptors, &keys, now))?;
        Ok(changes)
    }
}
