//! Windows' own commands, read as the documentation prints them.
//!
//! [`script`] reads whole fragments of `.cmd` files; [`reg`] and [`bcdedit`] are the grammars of `reg.exe` and
//! `bcdedit.exe`, which serve scripts and the command line alike. These are text in, typed requests out: nothing is
//! opened, nothing is changed, and every complaint knows line and column. [`icacls`] and [`takeown`] are the same for
//! descriptors of files, [`sc`] for services, [`Accounts`] knows names of accounts. [`run`] carries requests out in a
//! [`Registry`](crate::plan::Registry) and on [`Descriptors`](crate::plan::Descriptors).
//!
//! ```
//! use hivesmith::command::{reg::RegCommand, script::{Command, Script}};
//!
//! let text = "reg add HKLM\\BROKENSYSTEM\\ControlSet001\\Services\\gpsvc /v Start /t REG_DWO\r\n";
//! let error = Script::parse("fix.cmd", text.as_bytes()).unwrap_err();
//! assert_eq!(error.to_string(), "fix.cmd:1:68: unknown value type `REG_DWO`, did you mean `REG_DWORD`?");
//!
//! let script = Script::parse("fix.cmd", text.replace("REG_DWO", "REG_DWORD /d 4 /f").as_bytes())?;
//! assert!(matches!(&script.lines[0].command, Command::Reg(RegCommand::Add(_))));
//! # Ok::<(), hivesmith::command::script::ScriptError>(())
//! ```

mod accounts;
pub mod bcdedit;
mod diagnostic;
pub mod icacls;
mod nearest;
mod programs;
pub mod reg;
pub mod run;
pub mod sc;
pub mod script;
pub mod security;
pub mod takeown;
mod word;

pub use accounts::{Accounts, UnknownAccount};
pub use diagnostic::Diagnostic;
pub use word::{Span, Word};
