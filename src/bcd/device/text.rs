//! Devices as people write them.

use std::fmt;

use super::{Descriptor, Device, DeviceKind, PartitionId, PathOn};
use crate::{Guid, bcd::ElementCode};

/// What names inside the text of a device mean.
pub trait Places {
    /// The partition that a drive such as `F:`, or something else that bcdedit would know, stands for.
    ///
    /// # Errors
    ///
    /// A sentence for the user.
    fn partition(&self, name: &str) -> Result<PartitionId, String>;

    /// The object that an identifier in braces stands for.
    ///
    /// # Errors
    ///
    /// A sentence for the user.
    fn object(&self, id: &str) -> Result<Guid, String>;

    /// What to call a partition, where it has a shorter name than its identity.
    fn name_of(&self, id: PartitionId) -> Option<String>;
}

/// Nothing has a name: partitions are `gpt:DISK/PARTITION` and `mbr:SIGNATURE@OFFSET`, objects are GUIDs.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPlaces;

impl Places for NoPlaces {
    fn partition(&self, name: &str) -> Result<PartitionId, String> {
        Err(format!("`{name}` is not known here; {SPELLINGS}"))
    }

    fn object(&self, id: &str) -> Result<Guid, String> {
        id.parse().map_err(|_| format!("`{id}` is no identifier"))
    }

    fn name_of(&self, _: PartitionId) -> Option<String> {
        None
    }
}

impl Device {
    /// Reads a device as bcdedit spells it, for the element it will be the value of:
    ///
    /// * `boot`
    /// * `partition=F:`, `partition=gpt:DISK/PARTITION`, `partition=mbr:SIGNATURE@OFFSET`; `hd_partition=` is the same
    /// * `file=[PARENT]\path`, `ramdisk=[PARENT]\path,{options}`, `vhd=[PARENT]\path`, where PARENT is `boot` or a
    ///   partition without `partition=`
    ///
    /// Options may stand behind any of them: `,{ID}`.
    ///
    /// # Errors
    ///
    /// A sentence for the user that says what would have been right.
    pub fn parse(text: &str, element: ElementCode, places: &dyn Places) -> Result<Self, String> {
        let (text, options) = match text.rsplit_once(',') {
            Some((device, options)) if options.starts_with('{') && options.ends_with('}') => {
                (device, Some(places.object(options)?))
            }
            _ => (text, None),
        };
        let (word, value) = match text.split_once('=') {
            Some((word, value)) => (word, Some(value)),
            None => (text, None),
        };
        let device: Self = match (word.to_ascii_lowercase().as_str(), value) {
            ("boot", None) => Self::boot(),
            ("partition" | "hd_partition", Some(name)) => Self::partition(partition(name, places)?),
            ("file", Some(value)) => DeviceKind::File(path_on(value, places)?).into(),
            ("ramdisk", Some(value)) => {
                let Some(options) = options else {
                    return Err("`ramdisk=[DEVICE]\\path` needs `,{ID}`: the object with its options".to_owned());
                };
                let PathOn { parent, path } = path_on(value, places)?;
                Self::ramdisk(options, *parent, path)
            }
            ("vhd", Some(value)) => {
                let (file, how) = value.split_once(",locate").unwrap_or((value, ""));
                if !is_locating(how, element) {
                    return Err(format!("`locate{how}`: this element is looked for by its own path alone"));
                }
                Self::vhd(path_on(file, places)?, element)
            }
            ("locate", _) => {
                return Err("a device that is located without a disk to look for is not written by this version: no \
                            store was found to compare it with"
                    .to_owned());
            }
            _ => return Err(format!("`{text}` is no device; {FORMS}")),
        };
        Ok(Self { options: options.unwrap_or(Guid::NIL), ..device })
    }

    /// The device as text that [`parse`](Self::parse) reads again, as far as there is one.
    #[must_use]
    pub fn shown<'a>(&'a self, places: &'a dyn Places) -> impl fmt::Display + 'a {
        Shown { device: self, places }
    }
}

impl fmt::Display for Device {
    /// Without names for partitions.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown(&NoPlaces).fmt(out)
    }
}

/// `,locate=custom:12000002` is what bcdedit itself shows behind a virtual disk; `how` is what follows `,locate`.
fn is_locating(how: &str, element: ElementCode) -> bool {
    how.is_empty() || how.eq_ignore_ascii_case(&format!("=custom:{}", super::locating(element)))
}

fn path_on(text: &str, places: &dyn Places) -> Result<PathOn, String> {
    let inside = text.strip_prefix('[').and_then(|text| text.split_once(']'));
    let Some((parent, path)) = inside else {
        return Err(format!("`{text}` must begin with the device in brackets, like [F:]\\path or [boot]\\path"));
    };
    if !path.starts_with('\\') {
        return Err(format!("`{path}` must begin with a backslash: it is a path from the root of the device"));
    }
    let parent = if parent.eq_ignore_ascii_case("boot") {
        DeviceKind::Boot
    } else {
        DeviceKind::Partition(partition(parent, places)?)
    };
    Ok(PathOn { parent: Box::new(parent.into()), path: path.to_owned() })
}

fn partition(name: &str, places: &dyn Places) -> Result<PartitionId, String> {
    let Some((style, rest)) = name.split_once(':').filter(|(style, _)| style.len() > 1) else {
        return places.partition(name);
    };
    let wrong = || Err(format!("`{name}` is no partition; {SPELLINGS}"));
    if style.eq_ignore_ascii_case("gpt") {
        let ids = rest.split_once('/').and_then(|(disk, own)| Some((disk.parse().ok()?, own.parse().ok()?)));
        return ids.map_or_else(wrong, |(disk, partition)| Ok(PartitionId::Gpt { disk, partition }));
    }
    if style.eq_ignore_ascii_case("mbr") {
        let ids = rest.split_once('@').and_then(|(signature, offset)| {
            let signature = signature.strip_prefix("0x").unwrap_or(signature);
            let offset = match offset.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).ok()?,
                None => offset.parse().ok()?,
            };
            Some((u32::from_str_radix(signature, 16).ok()?, offset))
        });
        return ids.map_or_else(wrong, |(signature, offset)| Ok(PartitionId::Mbr { signature, offset }));
    }
    places.partition(name)
}

impl fmt::Display for PartitionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gpt { disk, partition } => write!(out, "gpt:{disk}/{partition}"),
            Self::Mbr { signature, offset } => write!(out, "mbr:{signature:08x}@{offset}"),
        }
    }
}

struct Shown<'a> {
    device: &'a Device,
    places: &'a dyn Places,
}

impl Shown<'_> {
    /// A device that another is on, as it stands in brackets.
    fn parent(&self, of: &Descriptor) -> String {
        match &of.kind {
            DeviceKind::Partition(id) => self.name(*id),
            _ => self.descriptor(of),
        }
    }

    fn name(&self, id: PartitionId) -> String {
        self.places.name_of(id).unwrap_or_else(|| id.to_string())
    }

    fn file(&self, file: &PathOn) -> String {
        format!("[{}]{}", self.parent(&file.parent), file.path)
    }

    fn descriptor(&self, of: &Descriptor) -> String {
        match &of.kind {
            DeviceKind::Boot => "boot".to_owned(),
            DeviceKind::Partition(id) => format!("partition={}", self.name(*id)),
            DeviceKind::File(file) => format!("file={}", self.file(file)),
            DeviceKind::Ramdisk { file, .. } => format!("ramdisk={}", self.file(file)),
            DeviceKind::Vhd { parent, .. } => match &parent.kind {
                DeviceKind::File(file) => format!("vhd={}", self.file(file)),
                _ => format!("vhd=[{}]", self.parent(parent)),
            },
            DeviceKind::Locate { element, path, parent } if path.is_empty() => {
                format!("{},locate=custom:{element}", self.descriptor(parent))
            }
            DeviceKind::Locate { path, parent, .. } => format!("{},locate={path}", self.descriptor(parent)),
            DeviceKind::HardDisk(id) => format!("disk={}", hex(&id.id)),
            DeviceKind::Unknown { kind, payload } => format!("unknown (device type {kind}: {})", hex(payload)),
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.descriptor(&self.device.descriptor))?;
        if self.device.options.is_nil() { Ok(()) } else { write!(out, ",{:?}", self.device.options) }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const FORMS: &str = "write boot, partition=F:, file=[F:]\\path, ramdisk=[F:]\\path,{ID} or vhd=[F:]\\path";
const SPELLINGS: &str = "write gpt:DISK-GUID/PARTITION-GUID or mbr:SIGNATURE@BYTE-OFFSET";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Device, String> {
        Device::parse(text, ElementCode::OS_DEVICE, &NoPlaces)
    }

    #[test]
    fn what_is_shown_is_read_again() {
        const GPT: &str = "gpt:5541e87d-91a5-4f2b-ad43-a0345c199e9b/1c6ab89c-bcbf-4abe-8593-618e4d2f5811";
        for text in [
            "boot",
            "partition=mbr:43da9ab1@525336576",
            &format!("partition={GPT}"),
            &format!("file=[{GPT}]\\a\\b.txt"),
            "ramdisk=[boot]\\sources\\boot.wim,{7619dcc8-fafe-11d9-b411-000476eba25f}",
            "vhd=[mbr:00000001@1048576]\\a, b.vhd,locate=custom:22000002",
            "vhd=[boot]\\a.vhd,locate=custom:22000002,{7619dcc8-fafe-11d9-b411-000476eba25f}",
            "boot,{7619dcc8-fafe-11d9-b411-000476eba25f}",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse("VHD=[BOOT]\\x.vhd"), parse("vhd=[boot]\\x.vhd,locate=custom:22000002"));
        assert_eq!(parse("hd_partition=mbr:0x1@0x10"), parse("partition=MBR:1@16"));
    }

    #[test]
    fn what_is_no_device_is_answered_with_what_is_one() {
        for (text, answer) in [
            ("C:", "partition=F:"),
            ("boot=x", "partition=F:"),
            ("partition", "partition=F:"),
            ("partition=C:", "`C:` is not known here"),
            ("partition=gpt:1/2", "gpt:DISK-GUID/PARTITION-GUID"),
            ("partition=mbr:12345678", "mbr:SIGNATURE@BYTE-OFFSET"),
            ("file=\\x", "must begin with the device in brackets"),
            ("file=[boot]x", "must begin with a backslash"),
            ("ramdisk=[boot]\\x.wim", "needs `,{ID}`"),
            ("vhd=[boot]\\x,locate=custom:12000002", "by its own path alone"),
            ("vhd=[boot]\\x,locate=custom:22000002,locate=custom:22000002", "by its own path alone"),
            ("boot,{x}", "`{x}` is no identifier"),
            ("locate", "is not written by this version"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(answer), "{text}: {error}");
        }
    }
}
