//! All functions: registered, found by any of their names, invoked.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, RwLock},
};

use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    arn::FunctionRef,
    config::{ConfigError, FunctionConfig, LambdaOptions},
    function::Function,
    invocation::{
        Event, Finished, Invocation, Invoke, InvokeAnswer, InvokeError, LATEST, Outcome, Reply,
    },
    logs::{FunctionLog, LogFiles},
};

/// The registry. Clones are the same registry.
#[derive(Debug, Clone)]
pub(super) struct Functions {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: LambdaOptions,
    files: Option<LogFiles>,
    functions: RwLock<BTreeMap<String, Arc<Function>>>,
    stopping: CancellationToken,
    /// Told of every registration.
    registered: watch::Sender<()>,
    /// Every supervisor, also those of replaced functions.
    processes: TaskTracker,
}

impl Functions {
    pub(super) fn open(options: LambdaOptions) -> io::Result<Functions> {
        let files = options.log_dir.clone().map(LogFiles::open).transpose()?;
        let shared = Shared {
            options,
            files,
            functions: RwLock::default(),
            stopping: CancellationToken::new(),
            registered: watch::Sender::new(()),
            processes: TaskTracker::new(),
        };
        Ok(Functions {
            shared: Arc::new(shared),
        })
    }

    pub(super) fn options(&self) -> &LambdaOptions {
        &self.shared.options
    }

    pub(super) fn stopping(&self) -> &CancellationToken {
        &self.shared.stopping
    }

    /// Adds the function, or replaces the one of this name: what it is doing and what waits for it is still served as before.
    pub(super) fn register(&self, config: FunctionConfig) -> Result<(), ConfigError> {
        config.check()?;
        let mut functions = self
            .shared
            .functions
            .write()
            .unwrap_or_else(|broken| broken.into_inner());
        let before = functions.get(&config.name);
        if before.is_some_and(|function| function.config == config) {
            return Ok(());
        }
        let log = before.map_or_else(
            || Arc::new(FunctionLog::new(&config.name, self.shared.files.clone())),
            |function| function.log.clone(),
        );
        let name = config.name.clone();
        let Shared {
            options,
            stopping,
            processes,
            ..
        } = &*self.shared;
        let function = Function::new(config, options, log, stopping.clone(), processes.clone());
        if let Some(before) = functions.insert(name, Arc::new(function)) {
            before.retire();
        }
        drop(functions);
        self.shared.registered.send_replace(());
        Ok(())
    }

    /// All functions by name.
    pub(super) fn list(&self) -> Vec<Arc<Function>> {
        let functions = self
            .shared
            .functions
            .read()
            .unwrap_or_else(|broken| broken.into_inner());
        functions.values().cloned().collect()
    }

    /// The function that any form of its name means.
    pub(super) fn find(&self, name: &str) -> Result<Arc<Function>, InvokeError> {
        self.resolve(&parse(name)?)
    }

    pub(super) fn resolve(&self, name: &FunctionRef) -> Result<Arc<Function>, InvokeError> {
        let options = &self.shared.options;
        let here = name
            .region
            .as_ref()
            .is_none_or(|region| *region == options.region)
            && name
                .account
                .as_ref()
                .is_none_or(|account| *account == options.account);
        let functions = self
            .shared
            .functions
            .read()
            .unwrap_or_else(|broken| broken.into_inner());
        let known = |function: &&Arc<Function>| match name.qualifier.as_deref() {
            None | Some(LATEST) => true,
            Some(alias) => function.config.aliases.iter().any(|known| known == alias),
        };
        let found = functions.get(&name.name).filter(|_| here).filter(known);
        found
            .cloned()
            .ok_or_else(|| InvokeError::NotFound(self.arn_of(name)))
    }

    /// The function, once it is registered.
    pub(super) async fn wait_for(&self, name: &str) -> Arc<Function> {
        let mut registered = self.shared.registered.subscribe();
        loop {
            if let Ok(function) = self.find(name) {
                return function;
            }
            if registered.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// The ARN a name means, whether or not there is such a function.
    pub(super) fn arn_of(&self, name: &FunctionRef) -> String {
        let options = &self.shared.options;
        let region = name.region.as_ref().unwrap_or(&options.region);
        let account = name.account.as_ref().unwrap_or(&options.account);
        let mut arn = format!("arn:aws:lambda:{region}:{account}:function:{}", name.name);
        if let Some(qualifier) = &name.qualifier {
            arn.push(':');
            arn.push_str(qualifier);
        }
        arn
    }

    /// Runs the function once. If the returned future is dropped before a process has the invocation it does not run;
    /// afterwards it runs on, as on AWS.
    pub(super) async fn invoke(
        &self,
        name: &str,
        invoke: Invoke,
    ) -> Result<InvokeAnswer, InvokeError> {
        let name = parse(name)?;
        let function = self.resolve(&name).map_err(|error| match error {
            // Invoke, unlike GetFunction, names the version it looked for.
            InvokeError::NotFound(arn) if name.qualifier.is_none() => {
                InvokeError::NotFound(format!("{arn}:{LATEST}"))
            }
            other => other,
        })?;
        let invoked_arn = match &name.qualifier {
            None => function.arn.clone(),
            Some(qualifier) => format!("{}:{qualifier}", function.arn).into(),
        };
        let request_id: Arc<str> = uuid::Uuid::new_v4().to_string().into();
        let (sender, mut answer) = oneshot::channel();
        function.submit(Invocation {
            event: Event {
                request_id: request_id.clone(),
                invoked_arn,
                payload: invoke.payload,
                client_context: invoke.client_context,
                trace_id: invoke.trace_id,
            },
            reply: Reply {
                sender,
                tail: invoke.tail,
            },
        });
        let finished = match invoke.wait {
            None => answer.await,
            Some(wait) => match timeout(wait, &mut answer).await {
                Ok(finished) => finished,
                Err(_) if function.withdraw(&request_id) => {
                    return Err(InvokeError::TooManyRequests);
                }
                // A process has it: from here on the function's own timeout counts.
                Err(_) => answer.await,
            },
        };
        let Ok(Finished { outcome, log_tail }) = finished else {
            return Err(InvokeError::Stopped);
        };
        let result = match outcome {
            Outcome::Returned(payload) => Ok(payload),
            Outcome::Failed(error) => Err(error),
            Outcome::Stopped => return Err(InvokeError::Stopped),
        };
        Ok(InvokeAnswer {
            request_id,
            executed_version: LATEST,
            result,
            log_tail,
        })
    }

    /// Ends every process. What they were doing is neither a success nor a failure of the function.
    pub(super) async fn shutdown(&self) {
        self.shared.stopping.cancel();
        self.shared.processes.close();
        self.shared.processes.wait().await;
    }
}

fn parse(name: &str) -> Result<FunctionRef, InvokeError> {
    FunctionRef::parse(name).ok_or_else(|| InvokeError::InvalidName(name.to_owned()))
}
