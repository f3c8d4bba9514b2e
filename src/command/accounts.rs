//! Names of accounts, without the machine that knows them.

use std::{error, fmt};

use sha1::{Digest, Sha1};

use super::{nearest::nearest, word::shown};
use crate::{name, security::Sid};

/// Who is who: names of accounts to SIDs, and back.
///
/// Names that are the same on each Windows are known, in English whatever the language of the installation; so are
/// those of services and application pools, whose SIDs follow from their names. Accounts of the installation must be
/// told.
///
/// ```
/// use hivesmith::{command::Accounts, security::{Sid, well_known}};
///
/// let alice = "S-1-5-21-1-2-3-1001".parse()?;
/// let accounts = Accounts::new().with_account("PC\\alice", alice).with_service("TermService");
/// assert_eq!(accounts.sid("NT AUTHORITY\\System")?, well_known::LOCAL_SYSTEM);
/// assert_eq!(accounts.sid("*S-1-5-32-544")?, well_known::ADMINISTRATORS);
/// assert_eq!(accounts.sid("nt service\\trustedinstaller")?, well_known::TRUSTED_INSTALLER);
/// assert_eq!(accounts.name(&accounts.sid("alice")?), "PC\\alice");
/// assert_eq!(accounts.name(&accounts.sid("NT SERVICE\\termservice")?), "NT SERVICE\\TermService");
/// assert_eq!(accounts.name(&"S-1-5-21-9-9-9-500".parse()?), "S-1-5-21-9-9-9-500");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    known: Vec<(String, Sid)>,
}

impl Accounts {
    /// The names that are the same on each Windows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And this one, as it is to be shown: `alice`, or `PC\alice`.
    #[must_use]
    pub fn with_account(mut self, name: impl Into<String>, sid: Sid) -> Self {
        self.known.push((name.into(), sid));
        self
    }

    /// And this service, so that its SID is shown by name: the name of its key, not the one that is displayed.
    #[must_use]
    pub fn with_service(self, name: &str) -> Self {
        let sid = service_sid(name);
        self.with_account(format!("{SERVICE}\\{name}"), sid)
    }

    /// The SID of a name, or of a SID as text with or without an asterisk in front.
    ///
    /// # Errors
    ///
    /// [`UnknownAccount`], which says what can be given instead.
    pub fn sid(&self, text: &str) -> Result<Sid, UnknownAccount> {
        let unknown = || UnknownAccount { name: text.to_owned(), near: nearest(text, self.names()).map(str::to_owned) };
        let numeric = text.strip_prefix('*').unwrap_or(text);
        if numeric.len() != text.len() || numeric.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("S-1-")) {
            return numeric.parse().map_err(|_| unknown());
        }
        if let Some(sid) = Sid::from_well_known_name(text) {
            return Ok(sid);
        }
        let whole = self.known.iter().find(|(name, _)| name::same(name, text));
        let short = |name: &str| name::same(name.rsplit('\\').next().unwrap_or(name), text);
        if let Some((_, sid)) = whole.or_else(|| self.known.iter().find(|(name, _)| short(name))) {
            return Ok(*sid);
        }
        match text.split_once('\\') {
            Some((_, "")) | None => Err(unknown()),
            Some((authority, name)) if authority.eq_ignore_ascii_case(SERVICE) => Ok(service_sid(name)),
            Some((authority, name)) if authority.eq_ignore_ascii_case(POOL) => Ok(pool_sid(name)),
            Some(_) => Err(unknown()),
        }
    }

    /// The name of a SID, else the SID as text.
    #[must_use]
    pub fn name(&self, sid: &Sid) -> String {
        let told = || self.known.iter().find(|(_, known)| known == sid).map(|(name, _)| name.as_str());
        sid.well_known_name().or_else(told).map_or_else(|| sid.to_string(), str::to_owned)
    }

    /// Whole names, then those that can do without what stands in front of their backslash.
    fn names(&self) -> impl Iterator<Item = &str> {
        let told = self.known.iter().map(|(name, _)| name.as_str());
        let whole = Sid::well_known_names().map(|name| -> &str { name }).chain(told);
        whole.clone().chain(whole.filter_map(|name| name.split_once('\\').map(|(_, short)| short)))
    }
}

/// A name that nobody offline knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownAccount {
    /// The name.
    pub name: String,
    /// What was probably meant.
    pub near: Option<String>,
}

impl UnknownAccount {
    /// What can be given instead.
    pub const HINT: &str = "offline only names that are the same on each Windows are known, `NT SERVICE\\NAME`, \
        `IIS APPPOOL\\NAME`, and accounts read from the installation; any other as its SID: `*S-1-5-...`";
}

impl fmt::Display for UnknownAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown account `{}`", shown(&self.name))?;
        match &self.near {
            Some(near) => write!(f, ", did you mean `{}`?", shown(near)),
            None => write!(f, ": {}", Self::HINT),
        }
    }
}

impl error::Error for UnknownAccount {}

/// The SID of a service: the SHA-1 of its name in capitals.
fn service_sid(service: &str) -> Sid {
    if service.eq_ignore_ascii_case("ALL SERVICES") {
        return hashed(80, &[0]);
    }
    hashed(80, &digest(service.encode_utf16().map(name::upcase)))
}

/// The SID of an application pool of the web server: the same, but of the name in small letters.
fn pool_sid(pool: &str) -> Sid {
    hashed(82, &digest(pool.to_lowercase().encode_utf16()))
}

fn digest(units: impl Iterator<Item = u16>) -> [u32; 5] {
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let digest: [u8; 20] = Sha1::digest(bytes).into();
    let mut numbers = [0; 5];
    for (number, bytes) in numbers.iter_mut().zip(digest.chunks_exact(4)) {
        *number = bytes.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte));
    }
    numbers
}

fn hashed(family: u32, numbers: &[u32]) -> Sid {
    // Authority 5 and at most six numbers: always a SID.
    Sid::new(5, &[&[family], numbers].concat()).unwrap_or(crate::security::well_known::NULL)
}

const SERVICE: &str = "NT SERVICE";
const POOL: &str = "IIS APPPOOL";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::well_known;

    fn sid(text: &str) -> String {
        Accounts::new().sid(text).unwrap().to_string()
    }

    #[test]
    fn sids_of_services_and_pools_follow_from_their_names() {
        assert_eq!(sid("NT SERVICE\\TrustedInstaller"), well_known::TRUSTED_INSTALLER.to_string());
        assert_eq!(sid("NT Service\\wUAUSERV"), "S-1-5-80-1014140700-3308905587-3330345912-272242898-93311788");
        assert_eq!(sid("NT SERVICE\\all services"), "S-1-5-80-0");
        assert_eq!(sid("IIS AppPool\\DefaultAppPool"), "S-1-5-82-3006700770-424185619-1745488364-794895919-4004696415");
    }

    #[test]
    fn sids_are_taken_as_they_are() {
        assert_eq!(sid("*S-1-5-18"), "S-1-5-18");
        assert_eq!(sid("s-1-5-32-0x220"), "S-1-5-32-544");
        assert!(Accounts::new().sid("*BA").is_err());
        assert!(Accounts::new().sid("*S-1-5-18x").is_err());
        assert!(Accounts::new().sid("S-1-").is_err());
    }

    #[test]
    fn an_account_of_the_installation_is_known_with_and_without_its_machine() {
        let alice: Sid = "S-1-5-21-1-2-3-1001".parse().unwrap();
        let accounts = Accounts::new().with_account("PC\\Älice", alice);
        assert_eq!(accounts.sid("pc\\älice"), Ok(alice));
        assert_eq!(accounts.sid("ÄLICE"), Ok(alice));
        assert!(accounts.sid("OTHER\\Älice").is_err());
    }

    #[test]
    fn an_unknown_name_says_what_can_be_given() {
        let message = |text: &str| Accounts::new().sid(text).unwrap_err().to_string();
        assert_eq!(
            message("BUILTIN\\Adminstrators"),
            "unknown account `BUILTIN\\Adminstrators`, did you mean `BUILTIN\\Administrators`?"
        );
        assert_eq!(message("Evryone"), "unknown account `Evryone`, did you mean `Everyone`?");
        assert_eq!(message("Netwrk Service"), "unknown account `Netwrk Service`, did you mean `NETWORK SERVICE`?");
        assert!(message("CONTOSO\\bob").starts_with("unknown account `CONTOSO\\bob`: offline only names"));
        assert!(message("NT SERVICE\\").contains("unknown account"));
        assert!(message("").contains("unknown account"));
    }
}
