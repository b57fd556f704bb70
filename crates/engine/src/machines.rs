//! State machines: a name, and revisions of its definition. Running executions keep the revision they started with.
//!
//! All machines are in memory with their current revision; definitions are parsed when first needed and shared. What only the
//! wire knows (logging, tracing, tags) is kept as given in `settings`. Versions and aliases name revisions and are kept by the
//! wire layer. Start with [`Machines`].

mod error;
mod machine;
mod store;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};

use uuid::Uuid;

pub use self::error::MachineError;
pub use self::machine::{
    INITIAL_REVISION, Machine, MachineChanges, MachineKind, NewMachine, Revision, StoredDefinition,
    Updated,
};
pub(crate) use self::store::TABLES;
pub(crate) use self::store::{RevisionRow, child_machine};
use crate::StorageError;
use crate::arn::Place;
use crate::clock::Clock;
use crate::journal::Journal;

/// All state machines. Cheap to clone.
#[derive(Clone)]
pub struct Machines {
    shared: Arc<Shared>,
}

struct Shared {
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    place: Place,
    machines: RwLock<BTreeMap<String, Known>>,
    revisions: Mutex<HashMap<i64, Arc<Revision>>>,
    definitions: Mutex<HashMap<i64, StoredDefinition>>,
    /// Creating, updating and deleting happen one after the other.
    administration: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Known {
    id: i64,
    machine: Machine,
}

impl Machines {
    pub(crate) fn load(
        journal: Arc<Journal>,
        clock: Arc<dyn Clock>,
        place: Place,
    ) -> Result<Machines, StorageError> {
        let machines = journal.read_now(|db| {
            let mut machines = BTreeMap::new();
            for row in store::load_machines(db)? {
                let revision = store::revision(db, &place, row.revision)?
                    .ok_or_else(|| missing("revision", row.revision))?;
                let arn = place.state_machine(&row.name);
                let (name, kind, created) = (row.name.clone(), row.kind, row.created);
                let machine = Machine {
                    arn,
                    name,
                    kind,
                    created,
                    revision: Arc::new(revision),
                };
                machines.insert(
                    row.name,
                    Known {
                        id: row.id,
                        machine,
                    },
                );
            }
            Ok(machines)
        })?;
        let shared = Shared {
            journal,
            clock,
            place,
            machines: RwLock::new(machines),
            revisions: Mutex::default(),
            definitions: Mutex::default(),
            administration: tokio::sync::Mutex::new(()),
        };
        Ok(Machines {
            shared: Arc::new(shared),
        })
    }

    /// `CreateStateMachine`: makes a machine, or answers with the one of that name if definition, type and settings are the
    /// same (the role is not compared, as AWS documents). Durable on return.
    ///
    /// # Errors
    /// A bad name or definition, another machine of that name, or the store failed.
    pub async fn create(&self, new: NewMachine) -> Result<Machine, MachineError> {
        check_name(&new.name)?;
        let parsed = parse(&new.definition)?;
        let _alone = self.shared.administration.lock().await;
        if let Some(known) = self.find(&new.name) {
            let machine = known.machine;
            let same = machine.kind == new.kind
                && machine.revision.settings == new.settings
                && *self.definition(&machine.revision).await?.text == *new.definition;
            return if same {
                Ok(machine)
            } else {
                Err(MachineError::StateMachineAlreadyExists { arn: machine.arn })
            };
        }
        let row = RevisionRow {
            revision_id: INITIAL_REVISION.to_owned(),
            definition: new.definition,
            role_arn: new.role_arn,
            settings: new.settings,
            created: self.shared.clock.now(),
        };
        let (name, kind, written) = (new.name.clone(), new.kind, row.clone());
        let write =
            move |db: &rusqlite::Connection| store::insert_machine(db, &name, kind, &written);
        let shared = Arc::clone(&self.shared);
        let (name, created) = (new.name.clone(), row.created);
        let adopt = move |outcome: &Result<store::Rows, StorageError>| {
            if let Ok(rows) = *outcome {
                let revision = shared.adopt(&name, rows, row, parsed);
                let machine = Machine {
                    arn: shared.place.state_machine(&name),
                    name: name.clone(),
                    kind,
                    created,
                    revision,
                };
                shared.write_machines().insert(
                    name,
                    Known {
                        id: rows.machine,
                        machine,
                    },
                );
            }
        };
        self.shared.journal.submit(write, adopt).await?;
        self.get(&new.name)
    }

    /// `UpdateStateMachine`: a new revision, unless nothing changes. Durable on return.
    ///
    /// # Errors
    /// A bad ARN or definition, no such machine, or the store failed.
    pub async fn update(
        &self,
        arn: &str,
        changes: MachineChanges,
    ) -> Result<Updated, MachineError> {
        let _alone = self.shared.administration.lock().await;
        let known = self.known(arn)?;
        let current = known.machine.revision;
        let old = self.definition(&current).await?;
        let row = RevisionRow {
            revision_id: Uuid::new_v4().to_string(),
            definition: changes.definition.unwrap_or_else(|| old.text.to_string()),
            role_arn: changes.role_arn.unwrap_or_else(|| current.role_arn.clone()),
            settings: changes.settings.unwrap_or_else(|| current.settings.clone()),
            created: self.shared.clock.now(),
        };
        if *row.definition == *old.text
            && row.role_arn == current.role_arn
            && row.settings == current.settings
        {
            let (updated, revision_id) = (current.created, current.revision_id.clone());
            return Ok(Updated {
                updated,
                revision_id,
                changed: false,
            });
        }
        let parsed = parse(&row.definition)?;
        let answer = Updated {
            updated: row.created,
            revision_id: row.revision_id.clone(),
            changed: true,
        };
        let (id, written) = (known.id, row.clone());
        let write = move |db: &rusqlite::Connection| store::insert_revision(db, id, &written);
        let shared = Arc::clone(&self.shared);
        let name = known.machine.name;
        let adopt = move |outcome: &Result<store::Rows, StorageError>| {
            if let Ok(rows) = *outcome {
                let revision = shared.adopt(&name, rows, row, parsed);
                if let Some(known) = shared.write_machines().get_mut(&name) {
                    known.machine.revision = revision;
                }
            }
        };
        self.shared.journal.submit(write, adopt).await?;
        Ok(answer)
    }

    /// `DeleteStateMachine`: no execution can be started any more, running ones go on. Durable on return.
    ///
    /// # Errors
    /// A bad ARN, or the store failed. A machine that does not exist is no error, as in AWS.
    pub async fn delete(&self, arn: &str) -> Result<(), MachineError> {
        let _alone = self.shared.administration.lock().await;
        let known = match self.known(arn) {
            Err(MachineError::StateMachineDoesNotExist { .. }) => return Ok(()),
            known => known?,
        };
        let now = self.shared.clock.now();
        let (id, name, shared) = (known.id, known.machine.name, Arc::clone(&self.shared));
        let forget = move |outcome: &Result<(), StorageError>| {
            if outcome.is_ok() {
                shared.write_machines().remove(&name);
            }
        };
        self.shared
            .journal
            .submit(move |db| store::delete_machine(db, id, now), forget)
            .await?;
        Ok(())
    }

    /// The machine of this ARN (without a version or alias).
    ///
    /// # Errors
    /// A bad ARN, or there is none.
    pub fn describe(&self, arn: &str) -> Result<Machine, MachineError> {
        Ok(self.known(arn)?.machine)
    }

    /// All machines, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Machine> {
        let machines = self
            .shared
            .machines
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        machines
            .values()
            .map(|known| known.machine.clone())
            .collect()
    }

    /// A revision of a machine, however old.
    ///
    /// # Errors
    /// A bad ARN, no such machine or revision, or the store failed.
    pub async fn revision(
        &self,
        arn: &str,
        revision_id: &str,
    ) -> Result<Arc<Revision>, MachineError> {
        let known = self.known(arn)?;
        if known.machine.revision.revision_id == revision_id {
            return Ok(known.machine.revision);
        }
        let (place, id, named) = (self.shared.place.clone(), known.id, revision_id.to_owned());
        let found = self
            .shared
            .journal
            .read(move |db| store::revision_named(db, &place, id, &named))
            .await?;
        let (arn, revision_id) = (arn.to_owned(), revision_id.to_owned());
        found
            .map(Arc::new)
            .ok_or(MachineError::RevisionDoesNotExist { arn, revision_id })
    }

    /// The definition of a revision.
    ///
    /// # Errors
    /// The store failed.
    pub async fn definition(&self, revision: &Revision) -> Result<StoredDefinition, StorageError> {
        let id = revision.definition;
        if let Some(known) = self.shared.definitions().get(&id) {
            return Ok(known.clone());
        }
        let text = self
            .shared
            .journal
            .read(move |db| store::definition(db, id))
            .await?;
        let parsed =
            parse(&text).map_err(|error| StorageError::corrupt("a stored definition", error))?;
        let definition = StoredDefinition { text, parsed };
        self.shared.definitions().insert(id, definition.clone());
        Ok(definition)
    }

    /// A revision by its row.
    pub(crate) async fn revision_by_key(&self, key: i64) -> Result<Arc<Revision>, StorageError> {
        if let Some(known) = self.shared.revisions().get(&key) {
            return Ok(Arc::clone(known));
        }
        let place = self.shared.place.clone();
        let found = self
            .shared
            .journal
            .read(move |db| store::revision(db, &place, key))
            .await?;
        let revision = Arc::new(found.ok_or_else(|| missing("revision", key))?);
        self.shared.revisions().insert(key, Arc::clone(&revision));
        Ok(revision)
    }

    fn get(&self, name: &str) -> Result<Machine, MachineError> {
        let arn = || self.shared.place.state_machine(name);
        Ok(self
            .find(name)
            .ok_or_else(|| MachineError::StateMachineDoesNotExist { arn: arn() })?
            .machine)
    }

    fn known(&self, arn: &str) -> Result<Known, MachineError> {
        let invalid = || MachineError::InvalidArn {
            arn: arn.to_owned(),
        };
        let name = self
            .shared
            .place
            .state_machine_name(arn)
            .ok_or_else(invalid)?;
        self.find(name)
            .ok_or_else(|| MachineError::StateMachineDoesNotExist {
                arn: arn.to_owned(),
            })
    }

    fn find(&self, name: &str) -> Option<Known> {
        self.shared
            .machines
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }
}

impl Shared {
    /// Takes a stored revision into memory.
    fn adopt(
        &self,
        name: &str,
        rows: store::Rows,
        row: RevisionRow,
        parsed: Arc<asl::Definition>,
    ) -> Arc<Revision> {
        let definition = StoredDefinition {
            text: row.definition.into(),
            parsed,
        };
        self.definitions()
            .entry(rows.definition)
            .or_insert(definition);
        let revision = Arc::new(Revision {
            key: rows.revision,
            machine: rows.machine,
            definition: rows.definition,
            state_machine_arn: self.place.state_machine(name),
            state_machine_name: name.to_owned(),
            revision_id: row.revision_id,
            role_arn: row.role_arn,
            settings: row.settings,
            created: row.created,
        });
        self.revisions()
            .insert(rows.revision, Arc::clone(&revision));
        revision
    }

    fn write_machines(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Known>> {
        self.machines
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn revisions(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Arc<Revision>>> {
        self.revisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn definitions(&self) -> std::sync::MutexGuard<'_, HashMap<i64, StoredDefinition>> {
        self.definitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(text: &str) -> Result<Arc<asl::Definition>, MachineError> {
    let asl::Parsed {
        definition,
        diagnostics,
    } = asl::parse(text);
    definition
        .map(Arc::new)
        .ok_or(MachineError::InvalidDefinition { diagnostics })
}

fn missing(what: &str, key: i64) -> StorageError {
    StorageError::Corrupt(format!("{what} {key} is missing"))
}

fn check_name(name: &str) -> Result<(), MachineError> {
    if crate::arn::is_name(name) {
        Ok(())
    } else {
        Err(MachineError::InvalidName {
            name: name.to_owned(),
        })
    }
}
