//! Ways to get to another thread or process and back, behind one interface.

use std::io;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::measure::{Meter, Peer, Percentiles, serve as serve_peer};

pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// The processor that the calling thread stays on; any if there is none.
    cpu: Option<usize>,
    /// How many of what is measured one call does.
    each: f64,
    call: Box<dyn FnMut() -> io::Result<()>>,
    meter: Meter,
}

impl Contender {
    /// The times of one of what is measured.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        let mut found = self.meter.percentiles()?;
        for time in [&mut found.p50, &mut found.p90, &mut found.p99, &mut found.mean] {
            *time /= self.each;
        }
        Some(found)
    }
}

fn contender(
    name: &'static str,
    call: impl FnMut() -> io::Result<()> + 'static,
) -> io::Result<Contender> {
    Ok(Contender { name, cpu: None, each: 1.0, call: Box::new(call), meter: Meter::new() })
}

/// All of them. The first is what the others are compared with.
pub(crate) fn contenders() -> Vec<Contender> {
    let all = vec![mpsc_round_trip(), mpsc_pipelined(), crossbeam_round_trip(), process()];
    #[cfg(target_os = "linux")]
    let all: Vec<_> = all.into_iter().chain(linux::contenders()).collect();
    let said = |contender: io::Result<Contender>| {
        contender.inspect_err(|error| println!("left out: {error}")).ok()
    };
    all.into_iter().filter_map(said).collect()
}

/// Has all take turns.
pub(crate) fn race(all: &mut [Contender], time: Duration, rounds: u32) -> io::Result<()> {
    for _ in 0..rounds {
        for Contender { cpu, call, meter, .. } in &mut *all {
            let _pinned = pin(*cpu)?;
            meter.run(time / rounds, |calls| (0..calls).try_for_each(|_| call()))?;
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
use linux::pin;

/// No contender names a processor here.
#[cfg(not(target_os = "linux"))]
fn pin(_cpu: Option<usize>) -> io::Result<Option<()>> {
    Ok(None)
}

/// This program, as the other process.
pub(crate) fn again() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the path of this program"));
    command.arg("--peer=dragnet");
    command
}

/// Is that other process.
pub(crate) fn serve(kind: &str, name: Option<String>) -> io::Result<()> {
    let name = name.unwrap_or_default();
    match kind {
        "dragnet" => match Peer::from_name(&name) {
            Some(peer) => serve_peer(peer),
            None => Err(io::Error::other(format!("no peer {name}"))),
        },
        "nothing" => Ok(()),
        #[cfg(target_os = "linux")]
        "sidecar" => linux::serve_sidecar(),
        #[cfg(target_os = "linux")]
        "ipc-channel" => linux::serve_ipc_channel(name),
        _ => Err(io::Error::other(format!("no kind {kind}"))),
    }
}

/// What the other end of a channel answers; it ends when the channel does.
fn gone<E>(_: E) -> io::Error {
    io::Error::other("the other thread has ended")
}

fn mpsc_round_trip() -> io::Result<Contender> {
    let (send, requests) = mpsc::channel::<u64>();
    let (answer, answers) = mpsc::channel();
    thread::spawn(move || requests.iter().try_for_each(|request| answer.send(request)));
    contender("std::sync::mpsc", move || {
        send.send(1).map_err(gone)?;
        answers.recv().map(drop).map_err(gone)
    })
}

/// How many requests are sent before the first answer is taken.
const DEEP: usize = 256;

fn mpsc_pipelined() -> io::Result<Contender> {
    let (send, requests) = mpsc::sync_channel::<u64>(DEEP);
    let (answer, answers) = mpsc::sync_channel(DEEP);
    thread::spawn(move || requests.iter().try_for_each(|request| answer.send(request)));
    let mut contender = contender("std::sync::mpsc, 256 deep, each", move || {
        (0..DEEP).try_for_each(|_| send.send(1)).map_err(gone)?;
        (0..DEEP).try_for_each(|_| answers.recv().map(drop)).map_err(gone)
    })?;
    contender.each = DEEP as f64;
    Ok(contender)
}

fn crossbeam_round_trip() -> io::Result<Contender> {
    let (send, requests) = crossbeam_channel::unbounded::<u64>();
    let (answer, answers) = crossbeam_channel::unbounded();
    thread::spawn(move || requests.iter().try_for_each(|request| answer.send(request)));
    contender("crossbeam-channel", move || {
        send.send(1).map_err(gone)?;
        answers.recv().map(drop).map_err(gone)
    })
}

fn process() -> io::Result<Contender> {
    contender("a process, from start to end", || {
        let mut command = Command::new(std::env::current_exe()?);
        let status = command.arg("--peer=nothing").stdout(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) }
    })
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::AsFd;
    use std::process::{Child, Command};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use crate::measure::Shared;
    use dragnet_sidecar::{Limits, Server, Sidecar};
    use dragnet::{Backend, BatchBuf, Matches, PatternSet, Report, Scan};
    use ipc_channel::ipc::{self, IpcOneShotServer, IpcReceiver, IpcSender};
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::{Contender, again, contender};

    pub(super) fn contenders() -> Vec<io::Result<Contender>> {
        let mut all = vec![ipc_channel_round_trip(), sidecar_round_trip()];
        let allowed = match sched_getaffinity(None) {
            Ok(set) => (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).take(2).collect(),
            Err(_) => Vec::new(),
        };
        if let [first, ..] = allowed[..] {
            all.push(ping_pong("futex, processes on one CPU", first, first, false));
        }
        match allowed[..] {
            [first, second] => {
                all.push(ping_pong("futex, processes on two CPUs", first, second, false));
                all.push(ping_pong("spinning, processes on two CPUs", first, second, true));
            }
            _ => all.push(Err(io::Error::other("ping-pong on two CPUs: there is only one"))),
        }
        all
    }

    /// The processors that this thread may run on, which it may again once this is dropped.
    pub(super) struct Pinned(CpuSet);

    pub(super) fn pin(cpu: Option<usize>) -> io::Result<Option<Pinned>> {
        let Some(cpu) = cpu else { return Ok(None) };
        let before = sched_getaffinity(None)?;
        let mut set = CpuSet::new();
        set.set(cpu);
        sched_setaffinity(None, &set)?;
        Ok(Some(Pinned(before)))
    }

    impl Drop for Pinned {
        fn drop(&mut self) {
            sched_setaffinity(None, &self.0).expect("the processors that it had");
        }
    }

    /// A word in memory that two processes share, each on its processor.
    fn ping_pong(
        name: &'static str,
        ours: usize,
        theirs: usize,
        spin: bool,
    ) -> io::Result<Contender> {
        // A process starts on the processors of the one that starts it.
        let pinned = pin(Some(theirs))?;
        let mut peer = Shared::start(again(), spin)?;
        drop(pinned);
        let mut contender = contender(name, move || peer.call(&[]).map(drop))?;
        contender.cpu = Some(ours);
        Ok(contender)
    }

    /// What requests are sent by and answers come by.
    type Ends = (IpcSender<u64>, IpcReceiver<u64>);

    /// The process is ended when this is dropped.
    struct Peer(Child);

    impl Drop for Peer {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn ipc_channel_round_trip() -> io::Result<Contender> {
        let (server, name) = IpcOneShotServer::<Ends>::new()?;
        let child = Command::new(std::env::current_exe()?)
            .args(["--peer=ipc-channel", &name])
            .spawn()
            .map(Peer)?;
        // It waits without end for a process that does not connect.
        let (tell, accepted) = mpsc::channel();
        thread::spawn(move || tell.send(server.accept()));
        let accepted = accepted.recv_timeout(Duration::from_secs(10)).map_err(io::Error::other)?;
        let (_, (send, answers)) = accepted.map_err(io::Error::other)?;
        contender("ipc-channel, processes", move || {
            let _ = &child;
            send.send(1).map_err(io::Error::other)?;
            answers.recv().map(drop).map_err(io::Error::other)
        })
    }

    /// A batch of one short record, and its one match.
    fn sidecar_round_trip() -> io::Result<Contender> {
        let set = PatternSet::new(["request"]).map_err(io::Error::other)?;
        let mut sidecar = Sidecar::builder(&set, Report::Spans)
            .backend(Backend::Pure)
            .spawn_with(|| {
                let mut command = Command::new(std::env::current_exe().expect("a path"));
                command.arg("--peer=sidecar");
                command
            })
            .map_err(io::Error::other)?;
        let mut records = BatchBuf::new();
        records.push(b"a request").map_err(io::Error::other)?;
        let mut matches = Matches::new();
        contender("Sidecar, a batch of one record", move || {
            sidecar.scan(&records.as_batch(), &mut matches).map_err(io::Error::other)?;
            if matches.len() == 1 { Ok(()) } else { Err(io::Error::other("not the answer")) }
        })
    }

    pub(super) fn serve_sidecar() -> io::Result<()> {
        let socket = io::stdin().as_fd().try_clone_to_owned()?;
        let server = Server::new(socket, Limits::default(), || std::process::exit(2))
            .map_err(io::Error::other)?;
        // SAFETY: the client is a `Sidecar`, which does not write to the memory of a pending request.
        let server = unsafe { server.search_in_place() };
        server.run().map_err(io::Error::other)
    }

    pub(super) fn serve_ipc_channel(name: String) -> io::Result<()> {
        let connection = IpcSender::<Ends>::connect(name)?;
        let (send, requests) = ipc::channel()?;
        let (answer, answers) = ipc::channel()?;
        connection.send((send, answers)).map_err(io::Error::other)?;
        // Until the other side is gone.
        while let Ok(request) = requests.recv() {
            answer.send(request).map_err(io::Error::other)?;
        }
        Ok(())
    }
}
