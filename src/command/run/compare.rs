//! `reg compare`, printing as Windows' own does: `<` what is only or differently below the first key, `>` the second,
//! `=` what is the same below both.

use std::{collections::BTreeMap, fmt::Write};

use super::{Effect, RunError, engine, locate, not_found, query};
use crate::{
    Result,
    command::reg::{Compare, CompareOutput},
    name::{self, NameBuf},
    plan::{Located, Registry},
    reg_text::RegPath,
    tree::{Key, Value},
};

pub(super) fn run(registry: &Registry<'_>, compare: &Compare) -> Result<Effect, RunError> {
    let sides = [locate(registry, &compare.left, compare.view)?, locate(registry, &compare.right, compare.view)?];
    let key = |at: &Located| match registry.key(at) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => Err(not_found(at)),
        Err(error) => Err(engine(registry, at, error)),
    };
    let keys = [key(&sides[0])?, key(&sides[1])?];
    let mut comparison = Comparison { compare, output: String::new(), compared: 0, different: false };
    comparison.keys(keys, [&sides[0].key, &sides[1].key]).map_err(|error| engine(registry, &sides[0], error))?;
    let Comparison { mut output, compared, different, .. } = comparison;
    if let (Some(name), 0) = (&compare.value, compared) {
        return Err(RunError::NotFound(format!("value \"{name}\" in {} and {}", compare.left, compare.right)));
    }
    let result = if different { "Different" } else { "Identical" };
    let _ = write!(output, "\nResults Compared: {result}\n\n{}", super::SUCCESS);
    Ok(Effect { output, negative: different, ..Effect::default() })
}

struct Comparison<'c> {
    compare: &'c Compare,
    output: String,
    /// Values that were met.
    compared: usize,
    different: bool,
}

/// The names of two keys' values or subkeys, and what of each has the name. Names that differ in case alone are one.
type Pairs<T> = BTreeMap<Vec<u16>, [Option<T>; 2]>;

impl Comparison<'_> {
    /// Two keys and, with `/s`, what is below both. A key that is below one only is named, not entered.
    fn keys(&mut self, keys: [Key<'_>; 2], paths: [&RegPath; 2]) -> Result<()> {
        let mut rest = vec![(keys, paths.map(Clone::clone))];
        while let Some((keys, paths)) = rest.pop() {
            self.values(keys, &paths)?;
            if !self.compare.recurse {
                continue;
            }
            let mut subkeys = Pairs::new();
            for (side, key) in keys.into_iter().enumerate() {
                for subkey in key.subkeys()? {
                    let subkey = subkey?;
                    pair(&mut subkeys, &subkey.name()?.to_name_buf(), side, subkey);
                }
            }
            let mut below = Vec::new();
            for found in subkeys.into_values() {
                let mut places = paths.clone();
                for (path, key) in places.iter_mut().zip(&found) {
                    if let Some(key) = key {
                        path.path = path.path.join(key.name()?.to_name_buf());
                    }
                }
                match found {
                    [Some(left), Some(right)] => below.push(([left, right], places)),
                    [left, _] => {
                        let (sign, path) = if left.is_some() { ("<", &places[0]) } else { (">", &places[1]) };
                        self.differs(|out| writeln!(out, "{sign} Key:  {path}"));
                    }
                }
            }
            rest.extend(below.into_iter().rev());
        }
        Ok(())
    }

    fn values(&mut self, keys: [Key<'_>; 2], paths: &[RegPath; 2]) -> Result<()> {
        let mut values = Pairs::new();
        for (side, key) in keys.into_iter().enumerate() {
            for value in key.values()? {
                let value = value?;
                let name = value.name()?.to_name_buf();
                if self.compare.value.as_ref().is_none_or(|wanted| name::same(wanted, &name)) {
                    pair(&mut values, &name, side, value);
                }
            }
        }
        for found in values.into_values() {
            self.compared += 1;
            if let [Some(left), Some(right)] = found {
                if left.kind() == right.kind() && left.data()? == right.data()? {
                    self.line("=", &paths[0], left, CompareOutput::Matches)?;
                    continue;
                }
            }
            self.different = true;
            for ((sign, path), value) in ["<", ">"].into_iter().zip(paths).zip(found) {
                if let Some(value) = value {
                    self.line(sign, path, value, CompareOutput::Differences)?;
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, sign: &str, path: &RegPath, value: Value<'_>, wanted: CompareOutput) -> Result<()> {
        if [CompareOutput::All, wanted].contains(&self.compare.output) {
            let name = value.name()?.to_name_buf();
            let name = if name.is_empty() { "(Default)".to_owned() } else { name.to_string() };
            let data = query::data(value, query::SEPARATOR)?;
            let _ = writeln!(self.output, "{sign} Value:  {path}  {name}  {}  {data}", value.kind());
        }
        Ok(())
    }

    fn differs(&mut self, say: impl FnOnce(&mut String) -> std::fmt::Result) {
        self.different = true;
        if [CompareOutput::All, CompareOutput::Differences].contains(&self.compare.output) {
            let _ = say(&mut self.output);
        }
    }
}

fn pair<T>(pairs: &mut Pairs<T>, name: &NameBuf, side: usize, of: T) {
    let folded = name::Units::units(name).map(name::upcase).collect();
    if let Some(slot) = pairs.entry(folded).or_insert([None, None]).get_mut(side) {
        *slot = Some(of);
    }
}
