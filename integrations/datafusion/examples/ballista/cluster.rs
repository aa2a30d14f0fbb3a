//! The processes of a cluster on this machine.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use ballista_core::extension::ballista_scalar_functions;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::utils::default_session_builder;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use datafusion::execution::FunctionRegistry;
use dragnet_datafusion::functions;

const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// Runs a scheduler, which plans queries with dragnet's functions, until the process ends.
pub(crate) async fn scheduler(port: u16) -> Result<(), Box<dyn Error>> {
    crate::rules()?;
    let config = SchedulerConfig {
        bind_host: HOST.to_string(),
        external_host: HOST.to_string(),
        bind_port: port,
        // The defaults take three minutes to notice that an executor is gone.
        executor_timeout_seconds: 5,
        expire_dead_executor_interval_seconds: 1,
        override_session_builder: Some(Arc::new(|config| {
            let mut state = default_session_builder(config)?;
            let rules = crate::rules().expect("they were compiled above");
            for function in functions(rules) {
                state.register_udf(Arc::new(function))?;
            }
            Ok(state)
        })),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    start_server(cluster, SocketAddr::from((HOST, port)), Arc::new(config)).await?;
    Ok(())
}

/// Runs an executor, which calls dragnet's functions, until the process ends. The ports are those of
/// the scheduler, of the executor's data and of its commands.
pub(crate) async fn executor(
    [scheduler_port, port, grpc_port]: [u16; 3],
    folder: &str,
) -> Result<(), Box<dyn Error>> {
    let mut registry = BallistaFunctionRegistry::default();
    let own = functions(crate::rules()?).into_iter().map(Arc::new);
    for function in ballista_scalar_functions().into_iter().chain(own) {
        registry.scalar_functions.insert(function.name().to_owned(), function);
    }
    let config = ExecutorProcessConfig {
        bind_host: HOST.to_string(),
        external_host: Some(HOST.to_string()),
        port,
        grpc_port,
        scheduler_host: HOST.to_string(),
        scheduler_port,
        scheduler_connect_timeout_seconds: 20,
        vcores: 1,
        work_dir: Some(folder.to_owned()),
        executor_heartbeat_interval_seconds: 1,
        override_function_registry: Some(Arc::new(registry)),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(config)).await?;
    Ok(())
}

/// A scheduler and two executors. They end when it is dropped.
pub(crate) struct Cluster {
    processes: Vec<Child>,
    port: u16,
    /// The folder with the output of the second executor's tasks.
    second: PathBuf,
}

impl Cluster {
    /// Starts all processes. The executors keep their output below `folder`.
    pub(crate) fn start(folder: &Path) -> Result<Cluster, Box<dyn Error>> {
        let ports = free_ports()?;
        let folders = [folder.join("first"), folder.join("second")];
        let text = |number: usize| ports[number].to_string();
        let mut cluster =
            Cluster { processes: Vec::new(), port: ports[0], second: folders[1].clone() };
        cluster.spawn(&["scheduler", &text(0)])?;
        for (number, folder) in folders.iter().enumerate() {
            std::fs::create_dir_all(folder)?;
            let folder = folder.to_str().ok_or("the folder's name is not UTF-8")?;
            let (port, grpc_port) = (text(1 + 2 * number), text(2 + 2 * number));
            cluster.spawn(&["executor", &text(0), &port, &grpc_port, folder])?;
        }
        Ok(cluster)
    }

    fn spawn(&mut self, args: &[&str]) -> io::Result<()> {
        let child = Command::new(std::env::current_exe()?).args(args).spawn()?;
        self.processes.push(child);
        Ok(())
    }

    /// Waits until the scheduler answers. Executors may come later.
    pub(crate) async fn wait_for_scheduler(&self) {
        while TcpStream::connect((HOST, self.port)).is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("df://{HOST}:{}", self.port)
    }

    /// Waits until the second executor has finished a task, and returns the number of its files. A
    /// task writes one, and an executor with one core starts another when the one before is complete.
    pub(crate) async fn wait_for_second(&self) -> io::Result<usize> {
        loop {
            let files = count_output(&self.second)?;
            if files >= 2 {
                return Ok(files);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Kills the second executor, and removes its output with it.
    pub(crate) fn kill_second(&mut self) -> io::Result<()> {
        if let Some(mut child) = self.processes.pop() {
            child.kill()?;
            child.wait()?;
        }
        std::fs::remove_dir_all(&self.second)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in &mut self.processes {
            // It fails if the process has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The number of files with rows in a folder and those below it.
fn count_output(folder: &Path) -> io::Result<usize> {
    let mut files = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files += count_output(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "arrow") {
            files += 1;
        }
    }
    Ok(files)
}

/// Five ports that nobody listens on.
fn free_ports() -> io::Result<Vec<u16>> {
    // All at once, so that they differ.
    let listeners = (0..5).map(|_| TcpListener::bind((HOST, 0))).collect::<io::Result<Vec<_>>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
