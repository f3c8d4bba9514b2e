//! What an edit of a descriptor makes of a key and of the keys below it. Looks only; `assign` writes.

use std::{collections::HashMap, sync::Arc};

use super::super::key_at;
use crate::{
    CellOffset, Defect, FormatError, KeyId, Result, Structure,
    format::key_node::KEY_NODE_FIXED,
    image::Image,
    security::{Inherited, ListKind, NewObject, ObjectKind, SecurityDescriptor, SecurityError, well_known},
    tree::Key,
};

/// Which keys an edit of a descriptor is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecurityScope {
    /// The key alone. What the keys below inherited stays as it is.
    Key,
    /// The key; where it hands on something else then, the keys below inherit that. Protected ones are left alone. This
    /// is what Windows' own tools do.
    Inheriting,
    /// The key and all keys below it are edited, each after it has inherited what is handed on to it now.
    Tree,
}

/// A key that has another descriptor now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityChange {
    /// The key.
    pub key: KeyId,
    /// Its descriptor before, as it was stored.
    pub before: Arc<[u8]>,
    /// Its descriptor now, as it is stored.
    pub after: Arc<[u8]>,
    /// What inheriting did to its DACL; nothing for a key that was only edited itself.
    pub inherited: Option<Inherited>,
}

/// Changes to be made.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) changes: Vec<SecurityChange>,
    /// The distinct descriptors among those that keys get.
    pub(crate) descriptors: Vec<Arc<[u8]>>,
    /// Keys, each with the number of its descriptor.
    pub(crate) keys: Vec<(CellOffset, usize)>,
}

/// An edit of one descriptor. It is asked once for keys that share one and inherit the same.
pub(crate) type Edit<'e> = &'e mut dyn FnMut(&mut SecurityDescriptor) -> Result<(), SecurityError>;

/// Edits a key's descriptor, and what follows from that for the keys below.
pub(crate) fn edit(image: &Image, top: CellOffset, scope: SecurityScope, edit: Edit<'_>) -> Result<Plan> {
    let mut walk = Walk::new(scope == SecurityScope::Tree);
    let outcome = walk.outcome(key_at(image, top)?, None, Some(&mut *edit))?;
    walk.note(top, outcome);
    if scope != SecurityScope::Key {
        let edit = (scope == SecurityScope::Tree).then_some(edit);
        walk.below(image, top, outcome, edit, Lists::differing)?;
    }
    Ok(walk.plan)
}

/// Lets the keys below one inherit anew what it hands on in one of its lists.
pub(crate) fn propagate(image: &Image, top: CellOffset, list: ListKind) -> Result<Plan> {
    let mut walk = Walk::new(false);
    let number = walk.number(key_at(image, top)?)?;
    let lists = Lists { dacl: list == ListKind::Dacl, sacl: list == ListKind::Sacl };
    let outcome = Outcome { before: number, after: number, inherited: None, forced: true };
    walk.below(image, top, outcome, None, move |_, _| Ok(lists))?;
    Ok(walk.plan)
}

/// Lists of which the keys below inherit something else than before.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Lists {
    dacl: bool,
    sacl: bool,
}

impl Lists {
    /// Those of which something else is handed on.
    fn differing(before: &SecurityDescriptor, after: &SecurityDescriptor) -> Result<Self> {
        // Owner and group stand for those of the key below, whoever that will be.
        let handed_on = |descriptor: &SecurityDescriptor| {
            let child = NewObject::new(ObjectKind::KEY).below(descriptor).auto_inherit(true);
            child.owned_by(well_known::NULL).in_group(well_known::NULL).descriptor()
        };
        let (before, after) = (handed_on(before)?, handed_on(after)?);
        Ok(Self { dacl: before.dacl() != after.dacl(), sacl: before.sacl() != after.sacl() })
    }

    fn iter(self) -> impl Iterator<Item = ListKind> {
        let lists = [(self.dacl, ListKind::Dacl), (self.sacl, ListKind::Sacl)];
        lists.into_iter().filter(|(differs, _)| *differs).map(|(_, list)| list)
    }
}

/// What happens to a descriptor below another one: numbers of both, and how.
#[derive(Clone, Copy)]
struct Outcome {
    before: usize,
    after: usize,
    inherited: Option<Inherited>,
    /// The keys below are looked at although nothing changed.
    forced: bool,
}

/// What a key inherits: the number of the descriptor above it, and which of its lists.
type Above = (usize, Lists);

struct Walk {
    plan: Plan,
    known: Vec<(Arc<[u8]>, SecurityDescriptor)>,
    by_record: HashMap<CellOffset, usize>,
    by_bytes: HashMap<Arc<[u8]>, usize>,
    /// What was found for keys that share a descriptor and inherit the same.
    outcomes: HashMap<(Option<Above>, usize), Outcome>,
    handed_on: HashMap<(usize, usize), Lists>,
    /// The numbers of descriptors in the plan.
    planned: HashMap<usize, usize>,
    whole_tree: bool,
}

impl Walk {
    fn new(whole_tree: bool) -> Self {
        Self {
            plan: Plan::default(),
            known: Vec::new(),
            by_record: HashMap::new(),
            by_bytes: HashMap::new(),
            outcomes: HashMap::new(),
            handed_on: HashMap::new(),
            planned: HashMap::new(),
            whole_tree,
        }
    }

    /// Goes through the keys below `top` that something happens to.
    fn below(
        &mut self,
        image: &Image,
        top: CellOffset,
        outcome: Outcome,
        mut edit: Option<Edit<'_>>,
        lists: impl Fn(&SecurityDescriptor, &SecurityDescriptor) -> Result<Lists>,
    ) -> Result<()> {
        let most = image.len() as usize / KEY_NODE_FIXED;
        let mut visited = 0;
        let mut open = vec![(top, outcome)];
        while let Some((at, outcome)) = open.pop() {
            if at != top {
                self.note(at, outcome);
            }
            let above = self.handed_on(outcome, &lists)?.map(|lists| (outcome.after, lists));
            if above.is_none() && !self.whole_tree {
                continue;
            }
            let first = open.len();
            for child in key_at(image, at)?.subkeys()? {
                let child = child?;
                visited += 1;
                if visited > most {
                    return Err(FormatError::new(Structure::KeyNode, at.file_offset(), Defect::Cycle).into());
                }
                let edit: Option<Edit<'_>> = match &mut edit {
                    Some(edit) => Some(&mut **edit),
                    None => None,
                };
                let outcome = self.outcome(child, above, edit)?;
                open.push((child.offset(), outcome));
            }
            // The first child comes next, and the plan lists keys in the order of the tree.
            open[first..].reverse();
        }
        Ok(())
    }

    /// Which lists the keys below inherit anew; none where there is nothing to do below.
    fn handed_on(
        &mut self,
        outcome: Outcome,
        lists: impl Fn(&SecurityDescriptor, &SecurityDescriptor) -> Result<Lists>,
    ) -> Result<Option<Lists>> {
        let Outcome { before, after, forced, .. } = outcome;
        if before == after && !forced {
            return Ok(None);
        }
        let found = match self.handed_on.get(&(before, after)) {
            Some(&found) => found,
            None => {
                let (Some((_, old)), Some((_, new))) = (self.known.get(before), self.known.get(after)) else {
                    return Ok(None);
                };
                let found = lists(old, new)?;
                self.handed_on.insert((before, after), found);
                found
            }
        };
        Ok((found.dacl || found.sacl).then_some(found))
    }

    /// What becomes of a key's descriptor.
    fn outcome(&mut self, key: Key<'_>, above: Option<Above>, edit: Option<Edit<'_>>) -> Result<Outcome> {
        let before = self.number(key)?;
        if let Some(&known) = self.outcomes.get(&(above, before)) {
            return Ok(known);
        }
        let was = self.known.get(before).map(|(_, descriptor)| descriptor.clone()).unwrap_or_default();
        let mut descriptor = was.clone();
        let mut inherited = None;
        if let Some((parent, lists)) = above {
            for list in lists.iter() {
                let Some((_, parent)) = self.known.get(parent) else { continue };
                let done = descriptor.inherit(parent, ObjectKind::KEY, list)?;
                if list == ListKind::Dacl {
                    inherited = Some(done);
                }
            }
        }
        if let Some(edit) = edit {
            edit(&mut descriptor)?;
        }
        // What says the same as before stays as it is stored, whatever stands behind its parts.
        let after = if descriptor == was { before } else { self.intern(descriptor) };
        let outcome = Outcome { before, after, inherited, forced: false };
        self.outcomes.insert((above, before), outcome);
        Ok(outcome)
    }

    fn number(&mut self, key: Key<'_>) -> Result<usize> {
        let security = key.security()?;
        if let Some(&known) = self.by_record.get(&security.offset()) {
            return Ok(known);
        }
        let number = match self.by_bytes.get(security.bytes()) {
            Some(&known) => known,
            None => self.add(security.bytes().into(), security.descriptor()?),
        };
        self.by_record.insert(security.offset(), number);
        Ok(number)
    }

    fn intern(&mut self, descriptor: SecurityDescriptor) -> usize {
        let bytes: Arc<[u8]> = descriptor.to_bytes().into();
        match self.by_bytes.get(&bytes) {
            Some(&known) => known,
            None => self.add(bytes, descriptor),
        }
    }

    fn add(&mut self, bytes: Arc<[u8]>, descriptor: SecurityDescriptor) -> usize {
        self.by_bytes.insert(Arc::clone(&bytes), self.known.len());
        self.known.push((bytes, descriptor));
        self.known.len() - 1
    }

    /// Puts a key that gets another descriptor into the plan.
    fn note(&mut self, key: CellOffset, outcome: Outcome) {
        let (Some((before, _)), Some((after, _))) = (self.known.get(outcome.before), self.known.get(outcome.after))
        else {
            return;
        };
        if outcome.before == outcome.after {
            return;
        }
        let number = *self.planned.entry(outcome.after).or_insert_with(|| {
            self.plan.descriptors.push(Arc::clone(after));
            self.plan.descriptors.len() - 1
        });
        self.plan.keys.push((key, number));
        self.plan.changes.push(SecurityChange {
            key: KeyId(key),
            before: Arc::clone(before),
            after: Arc::clone(after),
            inherited: outcome.inherited,
        });
    }
}
