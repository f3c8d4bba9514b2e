//! New, empty hives.

use super::Hive;
use crate::{
    BINS_START, CellOffset, FileTime, RequestError, Result,
    commit::Logs,
    format::{
        KeyFlags,
        base_block::BaseBlock,
        cell::{CellSize, size_for},
        hbin::{HBIN_HEADER, Hbin, PAGE},
        key_node::{NewKeyNode, field},
        key_security,
    },
    image::Image,
    name::{NameBuf, encode},
    security,
};

/// The format of a new hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Version {
    /// 1.3, "standard": NT 4 to Windows 10; BCD stores have it on every release.
    V1_3,
    /// 1.5, "latest": Windows XP and later; hash leaves and big data.
    V1_5,
}

impl Version {
    fn minor(self) -> u32 {
        match self {
            Self::V1_3 => 3,
            Self::V1_5 => 5,
        }
    }
}

/// Full control for SYSTEM and Administrators, reading for Users; subkeys share it.
const DEFAULT_DESCRIPTOR: &str = "O:BAG:SYD:(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;BU)";

/// What a new hive begins with.
///
/// ```
/// # fn main() -> hivesmith::Result<()> {
/// use hivesmith::{FileTime, NewHive, Version};
/// let hive = NewHive::new(Version::V1_3).root_name("NewStoreRoot").time(FileTime(0)).create()?;
/// assert_eq!(hive.view().root()?.name()?.to_string(), "NewStoreRoot");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewHive {
    version: Version,
    root_name: NameBuf,
    descriptor: Option<Vec<u8>>,
    time: FileTime,
}

impl NewHive {
    /// A hive whose root is called `ROOT` and lets SYSTEM and Administrators do everything and Users read.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self { version, root_name: NameBuf::from("ROOT"), descriptor: None, time: FileTime::now() }
    }

    /// The root's own name, which no path has.
    #[must_use]
    pub fn root_name(mut self, name: impl Into<NameBuf>) -> Self {
        self.root_name = name.into();
        self
    }

    /// The root's descriptor, self-relative; subkeys share it.
    #[must_use]
    pub fn descriptor(mut self, bytes: Vec<u8>) -> Self {
        self.descriptor = Some(bytes);
        self
    }

    /// The time stamps of the hive and its root.
    #[must_use]
    pub fn time(mut self, time: FileTime) -> Self {
        self.time = time;
        self
    }

    /// Makes the hive, in memory.
    ///
    /// # Errors
    ///
    /// [`Error::Security`](crate::Error::Security) where the descriptor is malformed, [`RequestError`] where the
    /// descriptor is too large or the name of the root is none.
    pub fn create(self) -> Result<Hive> {
        let descriptor = match self.descriptor {
            Some(bytes) => bytes,
            None => DEFAULT_DESCRIPTOR.parse::<security::SecurityDescriptor>()?.to_bytes(),
        };
        security::validate(&descriptor)?;
        crate::edit::key::validate_name(&self.root_name)?;
        let (name, compressed) = encode(&self.root_name);
        let mut flags = KeyFlags::HIVE_ENTRY | KeyFlags::NO_DELETE;
        flags.set(KeyFlags::COMPRESSED_NAME, compressed);

        // The first bin: the root's key node, then its descriptor, then free space.
        let root = CellOffset(HBIN_HEADER);
        let mut node = NewKeyNode {
            flags,
            last_written: self.time,
            parent: CellOffset::NIL,
            security: CellOffset::NIL,
            user_flags: 0,
            name: &name,
        }
        .encode();
        let too_large = || RequestError::DataTooLarge { size: descriptor.len() as u64, limit: 0xffff };
        let node_size = size_for(node.len() as u32).ok_or_else(too_large)?;
        let security = CellOffset(root.0 + node_size);
        for (to, from) in node.iter_mut().skip(field::SECURITY as usize).zip(security.0.to_le_bytes()) {
            *to = from;
        }
        let record = key_security::encode(security, security, 1, &descriptor);
        let record_size = size_for(record.len() as u32).ok_or_else(too_large)?;
        let used = security.0 + record_size;
        let length = used.next_multiple_of(PAGE);

        let base = BaseBlock::new(self.version.minor(), root, length, self.time);
        let mut bytes = base.encode().to_vec();
        bytes.resize(BINS_START as usize, 0);
        bytes.extend_from_slice(&Hbin::new(0, length, self.time).encode());
        for (payload, size) in [(node, node_size), (record, record_size)] {
            let start = bytes.len();
            bytes.extend_from_slice(&CellSize { size, allocated: true }.encode());
            bytes.extend_from_slice(&payload);
            bytes.resize(start + size as usize, 0);
        }
        if used < length {
            bytes.extend_from_slice(&CellSize { size: length - used, allocated: false }.encode());
        }
        let base = BaseBlock { checksum: base.true_checksum(), ..base };
        Ok(Hive::in_memory(Image::from_vec(base, bytes), Logs::default()))
    }
}
